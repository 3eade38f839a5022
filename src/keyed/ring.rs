//! Ring of the slots of a set, one for each key up to the bound, with the policy of eviction.
//!
//! ```text
//!                      hand
//!                       v
//! slots    [ a | b | c | d | – | f ]    – is claimed by insertions that have not finished
//! ```
//!
//! An insertion *claims* a slot: a free one, or that of an entry that may be evicted. It removes
//! that entry from the map, inserts its own, *enters* the slot and *releases* its reservation. The
//! slot then holds the new entry. Only claiming, entering and releasing are under the lock.
//!
//! Rules:
//!
//! 1. A slot belongs to the free list, to one claim, or to the entry that it holds. It changes
//!    hands under the lock only:
//!    * `claim_without_clock` and `claim_candidate` give the slot to a claim.
//!    * The last release of a claim gives the slot to the entry that entered. If there is none, the
//!      slot returns to the entry whose eviction was abandoned, otherwise to the free list.
//!    * `vacate` gives the slot to the free list, if the slot holds the removed entry.
//! 2. An insertion puts its entry into the map only with a reservation, and only after the previous
//!    entry of the slot has left the map. A slot is freed only after its entry has left the map.
//! 3. A thread that removes an entry from the map vacates its slot, except for an insertion that
//!    claimed the slot. If the slot is claimed, its claim records the removal. If the entry's own
//!    reservation has not ended, the slot is then freed when the claim ends. If the slot was
//!    claimed from the entry, the slot stays with the claim. So no slot is lost.
//! 4. No user code runs under the lock: no clock and no drop of a breaker. The ring has no keys: it
//!    knows an entry by its [`EntryId`].
//! 5. Insertions of one hash share a claim when no slot is free.
//! 6. An insertion searches the map again after it has claimed a slot, or found none.
//!
//! # The bound
//!
//! The map never has more entries than there are slots. By rule 2 there is at most one entry for
//! each slot. The exception is two insertions that share a claim and both have an entry in the map.
//! Two entries of one key are impossible: the map refuses the second. Two entries of one hash are
//! possible if their keys differ or are not equal to themselves. Then the second to enter removes
//! the first. So there is at most one entry too many for each thread that is inside `get`.
//!
//! # One breaker for each key
//!
//! Two threads that insert the same new key get the same breaker, as long as it stays in the set:
//!
//! * Both have a reservation, shared or not. The map accepts one entry and returns it to the other
//!   thread.
//! * One thread has none. When it scanned, the other thread had no claim either, as they would
//!   share it. If the other thread's entry was in the map, the first thread finds it by rule 6.
//!   Otherwise the other thread came later. It found a slot that was free by then, or scanned other
//!   entries.
//! * One thread claims the slot of the other thread's entry, to evict it. That entry is still in
//!   the map. The thread finds it by rule 6 and gives the slot back.
//!
//! Hashes are compared instead of keys, because of rule 4. If different keys have one hash of 64
//! bits, insertions that share a claim evict each other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Breaker, breaker::inspect::EvictionCost, machine::word::Word};

/// The largest number of entries that an insertion scans for one that may be evicted.
pub(super) const MAX_SCANNED: usize = 16;

/// Identity of an entry of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryId {
    pub(super) hash: u64,
    slot: usize,
    /// Number of the reservation by which the entry was inserted.
    number: u64,
}

/// An entry of the map, without its key.
#[derive(Clone)]
pub(super) struct RingEntry {
    pub(super) id: EntryId,
    breaker: Arc<Breaker>,
}

/// The slots of a set.
pub(super) struct Ring {
    bound: usize,
    slots: Mutex<Slots>,
}

struct Slots {
    /// Indexed by slot; grows to the bound, without a move. `None` is a free or claimed slot.
    entries: Vec<Option<RingEntry>>,
    free: Vec<usize>,
    hand: usize,
    /// At most one claim for each thread that is inside `get` of a new key.
    claims: Vec<Claim>,
    /// Number of the next reservation.
    next_number: u64,
}

/// Claim of a slot while it passes from one entry to another.
struct Claim {
    slot: usize,
    hash: u64,
    reservations: usize,
    /// The previous entry of the slot, until it has left the map.
    evicted: Option<RingEntry>,
    /// The new entry, once it is in the map.
    entered: Option<RingEntry>,
    /// The entries of the slot that were removed from the map during the claim: at most one for
    /// each reservation, the previous entry, and one for each thread that is late to vacate.
    removed: Vec<EntryId>,
}

/// An insertion's part in a claim. Dropping the reservation releases it.
#[must_use = "dropping a reservation gives its slot back"]
pub(super) struct Reservation<'a> {
    ring: &'a Ring,
    slot: usize,
    number: u64,
    /// The previous entry of the slot, if it was still in the map.
    evicted: Option<RingEntry>,
}

/// A claimed slot, the number of the reservation, and the entry that must leave the map for it.
struct Claimed {
    slot: usize,
    number: u64,
    evicted: Option<RingEntry>,
}

/// The scanned entries.
type Scanned = Vec<RingEntry>;

/// An entry that may be evicted if its breaker still has this word.
struct Candidate {
    cost: EvictionCost,
    word: Word,
    entry: RingEntry,
}

impl Ring {
    pub(super) fn new(bound: usize) -> Self {
        Self {
            bound,
            slots: Mutex::new(Slots {
                entries: Vec::with_capacity(bound),
                free: Vec::new(),
                hand: 0,
                claims: Vec::new(),
                next_number: 0,
            }),
        }
    }

    pub(super) fn bound(&self) -> usize {
        self.bound
    }

    /// Reserves a slot for a key of this hash. Returns `None` if no slot is free and no scanned
    /// entry may be evicted.
    pub(super) fn reserve(&self, hash: u64) -> Option<Reservation<'_>> {
        let claimed = self.lock().claim_without_clock(self.bound, hash);
        let scanned = match claimed {
            Ok(claimed) => return Some(self.reservation(claimed)),
            Err(scanned) => scanned,
        };
        // Outside the lock, since ranking may read clocks. The candidates are dropped after the
        // lock is released.
        let candidates = ranked(scanned);
        let claimed = self.lock().claim_candidate(self.bound, hash, &candidates);
        claimed.map(|claimed| self.reservation(claimed))
    }

    fn reservation(&self, claimed: Claimed) -> Reservation<'_> {
        Reservation {
            ring: self,
            slot: claimed.slot,
            number: claimed.number,
            evicted: claimed.evicted,
        }
    }

    /// Frees the slot of an entry that was removed from the map.
    pub(super) fn vacate(&self, id: EntryId) {
        let vacated = self.lock().vacate(id);
        // Outside the lock: this may be the last handle.
        drop(vacated);
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        // No user code runs under the lock, so the slots are consistent even if it is poisoned.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entries that may be evicted, those with the least to lose first.
fn ranked(scanned: Scanned) -> Vec<Candidate> {
    let mut ranked = Vec::with_capacity(scanned.len());
    for entry in scanned {
        if let Some((cost, word)) = entry.breaker.eviction_cost() {
            ranked.push(Candidate { cost, word, entry });
            if cost == EvictionCost::Failures(0) {
                break;
            }
        }
    }
    ranked.sort_by_key(|candidate| candidate.cost);
    ranked
}

impl Slots {
    /// Claims a vacant slot, or the slot of an entry whose word alone says that its eviction loses
    /// nothing. Returns the scanned entries if there is no such slot.
    fn claim_without_clock(&mut self, bound: usize, hash: u64) -> Result<Claimed, Scanned> {
        if let Some(vacant) = self.claim_vacant(bound, hash) {
            return Ok(vacant);
        }
        let mut scanned = Vec::new();
        for _ in 0..MAX_SCANNED.min(bound) {
            let index = self.hand;
            self.hand = (index + 1) % bound;
            if let Some(entry) = &self.entries[index] {
                if entry.breaker.is_idle() {
                    return Ok(self.evict(index, hash));
                }
                scanned.push(entry.clone());
            }
        }
        Err(scanned)
    }

    /// Claims the slot of the first candidate that still has its slot and its word.
    fn claim_candidate(
        &mut self,
        bound: usize,
        hash: u64,
        candidates: &[Candidate],
    ) -> Option<Claimed> {
        if let Some(vacant) = self.claim_vacant(bound, hash) {
            return Some(vacant);
        }
        let is_unchanged = |candidate: &&Candidate| {
            let RingEntry { id, breaker } = &candidate.entry;
            self.holds(*id) && breaker.has_word(candidate.word)
        };
        let slot = candidates.iter().find(is_unchanged)?.entry.id.slot;
        self.hand = (slot + 1) % bound;
        Some(self.evict(slot, hash))
    }

    /// Claims a slot that needs no eviction.
    fn claim_vacant(&mut self, bound: usize, hash: u64) -> Option<Claimed> {
        if let Some(index) = self.free.pop() {
            return Some(self.claim(index, hash, None));
        }
        let len = self.entries.len();
        if len < bound {
            self.entries.push(None);
            return Some(self.claim(len, hash, None));
        }
        let shared = self.claims.iter_mut().find(|claim| claim.hash == hash)?;
        shared.reservations += 1;
        let (slot, evicted) = (shared.slot, shared.evicted.clone());
        Some(self.claimed(slot, evicted))
    }

    fn evict(&mut self, index: usize, hash: u64) -> Claimed {
        let evicted = self.entries[index].take();
        self.claim(index, hash, evicted)
    }

    fn claim(&mut self, slot: usize, hash: u64, evicted: Option<RingEntry>) -> Claimed {
        self.claims.push(Claim {
            slot,
            hash,
            reservations: 1,
            evicted: evicted.clone(),
            entered: None,
            removed: Vec::new(),
        });
        self.claimed(slot, evicted)
    }

    /// Numbers a reservation of a claimed slot.
    fn claimed(&mut self, slot: usize, evicted: Option<RingEntry>) -> Claimed {
        let number = self.next_number;
        self.next_number += 1;
        Claimed {
            slot,
            number,
            evicted,
        }
    }

    fn holds(&self, id: EntryId) -> bool {
        let held = self.entries[id.slot].as_ref();
        held.is_some_and(|held| held.id == id)
    }

    /// Frees the slot of a removed entry, or records the removal in the slot's claim. Returns the
    /// entry if the slot held it; drop it outside the lock.
    fn vacate(&mut self, id: EntryId) -> Option<RingEntry> {
        if self.holds(id) {
            self.free.push(id.slot);
            return self.entries[id.slot].take();
        }
        if let Some(claim) = self.claim_of(id.slot) {
            claim.removed.push(id);
        }
        None
    }

    fn claim_of(&mut self, slot: usize) -> Option<&mut Claim> {
        self.claims.iter_mut().find(|claim| claim.slot == slot)
    }

    /// Returns the claim of a slot. The caller holds a reservation of it.
    fn reserved(&mut self, slot: usize) -> &mut Claim {
        let claim = self.claim_of(slot);
        claim.expect("a claim lasts as long as its reservations")
    }

    /// Ends one reservation. Returns the claim if it was the last; drop it outside the lock.
    fn release(&mut self, slot: usize) -> Option<Claim> {
        let claim = self.reserved(slot);
        claim.reservations -= 1;
        if claim.reservations > 0 {
            return None;
        }
        let ended = self.claims.iter().position(|claim| claim.slot == slot)?;
        let mut claim = self.claims.swap_remove(ended);
        let stays = |entry: &mut RingEntry| !claim.removed.contains(&entry.id);
        let entered = claim.entered.take_if(stays);
        let holds = entered.or_else(|| claim.evicted.take_if(stays));
        if holds.is_none() {
            self.free.push(slot);
        }
        self.entries[slot] = holds;
        Some(claim)
    }
}

impl Claim {
    fn is_removed(&self, entry: &RingEntry) -> bool {
        self.removed.contains(&entry.id)
    }
}

impl Reservation<'_> {
    /// Creates the entry that is inserted by this reservation.
    pub(super) fn entry(&self, hash: u64, breaker: Arc<Breaker>) -> RingEntry {
        let id = EntryId {
            hash,
            slot: self.slot,
            number: self.number,
        };
        RingEntry { id, breaker }
    }

    /// Returns the previous entry of the slot, which must still be removed from the map.
    pub(super) fn evicted(&self) -> Option<&RingEntry> {
        self.evicted.as_ref()
    }

    /// Records that the previous entry of the slot has left the map.
    pub(super) fn evicted_is_removed(&mut self) {
        let cleared = self.ring.lock().reserved(self.slot).evicted.take();
        // Outside the lock: these may be the last handles.
        drop((cleared, self.evicted.take()));
    }

    /// Enters an entry that is in the map into its slot. Returns `false` if another entry has
    /// entered before.
    pub(super) fn occupy(&self, entry: &RingEntry) -> bool {
        let mut slots = self.ring.lock();
        let claim = slots.reserved(self.slot);
        if claim.is_removed(entry) {
            return true;
        }
        let entered = claim.entered.get_or_insert_with(|| entry.clone());
        entered.id == entry.id
    }

    /// Enters an entry that is in the map into its slot. Returns the entry that it replaces.
    pub(super) fn displace(&self, entry: &RingEntry) -> Option<RingEntry> {
        let mut slots = self.ring.lock();
        let claim = slots.reserved(self.slot);
        if claim.is_removed(entry) {
            return None;
        }
        claim.entered.replace(entry.clone())
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let ended = self.ring.lock().release(self.slot);
        // Outside the lock: the claim may hold the last handles.
        drop(ended);
    }
}

#[cfg(test)]
mod tests;

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
//!    claimed the slot. If the reservation of the entry has not ended, the entry is marked, and the
//!    slot is freed when the claim ends. If the slot was claimed from the entry, the slot stays
//!    with the claim. So no slot is lost.
//! 4. No user code runs under the lock: no hash, no comparison, no clone, no clock, no drop of a
//!    key or a breaker.
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

use crate::{
    Breaker,
    breaker::inspect::EvictionCost,
    machine::word::Word,
    sync::{AtomicBool, Ordering},
};

/// The largest number of entries that an insertion scans for one that may be evicted.
pub(super) const MAX_SCANNED: usize = 16;

/// A key with its breaker and its slot.
pub(super) struct BreakerEntry<K> {
    pub(super) key: K,
    pub(super) hash: u64,
    breaker: Arc<Breaker>,
    slot: usize,
    /// Set if the entry is removed from the map before its reservation ends. Accessed under the
    /// lock only.
    removed: AtomicBool,
}

/// The slots of a set.
pub(super) struct Ring<K> {
    bound: usize,
    slots: Mutex<Slots<K>>,
}

struct Slots<K> {
    /// Indexed by slot; grows to the bound. `None` is a free or claimed slot.
    entries: Vec<Option<Arc<BreakerEntry<K>>>>,
    free: Vec<usize>,
    hand: usize,
    /// At most one claim for each thread that is inside `get` of a new key.
    claims: Vec<Claim<K>>,
}

/// Claim of a slot while it passes from one entry to another.
struct Claim<K> {
    slot: usize,
    hash: u64,
    reservations: usize,
    /// The previous entry of the slot, until it has left the map.
    evicted: Option<Arc<BreakerEntry<K>>>,
    /// The new entry, once it is in the map.
    entered: Option<Arc<BreakerEntry<K>>>,
}

/// An insertion's part in a claim. Dropping the reservation releases it.
#[must_use = "dropping a reservation gives its slot back"]
pub(super) struct Reservation<'a, K> {
    ring: &'a Ring<K>,
    index: usize,
    /// The previous entry of the slot, if it was still in the map.
    evicted: Option<Arc<BreakerEntry<K>>>,
}

/// A claimed slot, and the entry that must leave the map for it.
struct Claimed<K>(usize, Option<Arc<BreakerEntry<K>>>);

/// The scanned entries, with their slots.
type Scanned<K> = Vec<(usize, Arc<BreakerEntry<K>>)>;

/// An entry that may be evicted if its breaker still has this word.
struct Candidate<K> {
    cost: EvictionCost,
    word: Word,
    slot: usize,
    entry: Arc<BreakerEntry<K>>,
}

impl<K> BreakerEntry<K> {
    pub(super) fn new(key: K, hash: u64, breaker: Arc<Breaker>, slot: &Reservation<'_, K>) -> Self {
        Self {
            key,
            hash,
            breaker,
            slot: slot.index,
            removed: AtomicBool::new(false),
        }
    }

    fn is_removed(&self) -> bool {
        // ORDERING: Relaxed, here and in `vacate`: both are under the lock.
        self.removed.load(Ordering::Relaxed)
    }
}

impl<K> Ring<K> {
    pub(super) fn new(bound: usize) -> Self {
        Self {
            bound,
            slots: Mutex::new(Slots {
                entries: Vec::new(),
                free: Vec::new(),
                hand: 0,
                claims: Vec::new(),
            }),
        }
    }

    pub(super) fn bound(&self) -> usize {
        self.bound
    }

    /// Reserves a slot for a key of this hash. Returns `None` if no slot is free and no scanned
    /// entry may be evicted.
    pub(super) fn reserve(&self, hash: u64) -> Option<Reservation<'_, K>> {
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

    fn reservation(&self, Claimed(index, evicted): Claimed<K>) -> Reservation<'_, K> {
        Reservation {
            ring: self,
            index,
            evicted,
        }
    }

    /// Frees the slot of an entry that was removed from the map.
    pub(super) fn vacate(&self, entry: &Arc<BreakerEntry<K>>) {
        let mut slots = self.lock();
        let held = &mut slots.entries[entry.slot];
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, entry)) {
            // The caller holds the entry, too, so this drops no key.
            *held = None;
            slots.free.push(entry.slot);
        } else {
            entry.removed.store(true, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slots<K>> {
        // No user code runs under the lock, so the slots are consistent even if it is poisoned.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entries that may be evicted, those with the least to lose first.
fn ranked<K>(scanned: Scanned<K>) -> Vec<Candidate<K>> {
    let mut ranked = Vec::with_capacity(scanned.len());
    for (slot, entry) in scanned {
        if let Some((cost, word)) = entry.breaker.eviction_cost() {
            ranked.push(Candidate {
                cost,
                word,
                slot,
                entry,
            });
            if cost == EvictionCost::Failures(0) {
                break;
            }
        }
    }
    ranked.sort_by_key(|candidate| candidate.cost);
    ranked
}

impl<K> Slots<K> {
    /// Claims a vacant slot, or the slot of an entry whose word alone says that its eviction loses
    /// nothing. Returns the scanned entries if there is no such slot.
    fn claim_without_clock(&mut self, bound: usize, hash: u64) -> Result<Claimed<K>, Scanned<K>> {
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
                scanned.push((index, Arc::clone(entry)));
            }
        }
        Err(scanned)
    }

    /// Claims the slot of the first candidate that still has its slot and its word.
    fn claim_candidate(
        &mut self,
        bound: usize,
        hash: u64,
        candidates: &[Candidate<K>],
    ) -> Option<Claimed<K>> {
        if let Some(vacant) = self.claim_vacant(bound, hash) {
            return Some(vacant);
        }
        let is_unchanged = |candidate: &&Candidate<K>| {
            let held = self.entries[candidate.slot].as_ref();
            held.is_some_and(|held| Arc::ptr_eq(held, &candidate.entry))
                && candidate.entry.breaker.has_word(candidate.word)
        };
        let slot = candidates.iter().find(is_unchanged)?.slot;
        self.hand = (slot + 1) % bound;
        Some(self.evict(slot, hash))
    }

    /// Claims a slot that needs no eviction.
    fn claim_vacant(&mut self, bound: usize, hash: u64) -> Option<Claimed<K>> {
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
        Some(Claimed(shared.slot, shared.evicted.clone()))
    }

    fn evict(&mut self, index: usize, hash: u64) -> Claimed<K> {
        let evicted = self.entries[index].take();
        self.claim(index, hash, evicted)
    }

    fn claim(
        &mut self,
        index: usize,
        hash: u64,
        evicted: Option<Arc<BreakerEntry<K>>>,
    ) -> Claimed<K> {
        self.claims.push(Claim {
            slot: index,
            hash,
            reservations: 1,
            evicted: evicted.clone(),
            entered: None,
        });
        Claimed(index, evicted)
    }

    /// Returns the claim of a slot. The caller holds a reservation of it.
    fn claimed(&mut self, index: usize) -> &mut Claim<K> {
        let mut claims = self.claims.iter_mut();
        let claim = claims.find(|claim| claim.slot == index);
        claim.expect("a claim lasts as long as its reservations")
    }

    /// Ends one reservation. Returns the claim if it was the last; drop it outside the lock.
    fn release(&mut self, index: usize) -> Option<Claim<K>> {
        let claim = self.claimed(index);
        claim.reservations -= 1;
        if claim.reservations > 0 {
            return None;
        }
        let ended = self.claims.iter().position(|claim| claim.slot == index)?;
        let mut claim = self.claims.swap_remove(ended);
        let stays = |entry: &mut Arc<BreakerEntry<K>>| !entry.is_removed();
        let entered = claim.entered.take_if(stays);
        let holds = entered.or_else(|| claim.evicted.take_if(stays));
        if holds.is_none() {
            self.free.push(index);
        }
        self.entries[index] = holds;
        Some(claim)
    }
}

impl<K> Reservation<'_, K> {
    /// Returns the previous entry of the slot, which must still be removed from the map.
    pub(super) fn evicted(&self) -> Option<&Arc<BreakerEntry<K>>> {
        self.evicted.as_ref()
    }

    /// Records that the previous entry of the slot has left the map.
    pub(super) fn evicted_is_removed(&mut self) {
        let cleared = self.ring.lock().claimed(self.index).evicted.take();
        // Outside the lock: these may be the last handles.
        drop((cleared, self.evicted.take()));
    }

    /// Enters an entry that is in the map into its slot. Returns `false` if another entry has
    /// entered before.
    pub(super) fn occupy(&self, entry: &Arc<BreakerEntry<K>>) -> bool {
        let mut slots = self.ring.lock();
        if entry.is_removed() {
            return true;
        }
        let entered = &mut slots.claimed(self.index).entered;
        if entered.is_none() {
            *entered = Some(Arc::clone(entry));
        }
        entered
            .as_ref()
            .is_some_and(|entered| Arc::ptr_eq(entered, entry))
    }

    /// Enters an entry that is in the map into its slot. Returns the entry that it replaces.
    pub(super) fn displace(&self, entry: &Arc<BreakerEntry<K>>) -> Option<Arc<BreakerEntry<K>>> {
        let mut slots = self.ring.lock();
        if entry.is_removed() {
            return None;
        }
        let entered = &mut slots.claimed(self.index).entered;
        entered.replace(Arc::clone(entry))
    }
}

impl<K> Drop for Reservation<'_, K> {
    fn drop(&mut self) {
        let ended = self.ring.lock().release(self.index);
        // Outside the lock: the claim may hold the last handles.
        drop(ended);
    }
}

#[cfg(test)]
mod tests;

//! The slots of a set of breakers, as many as its bound, gone round in turn.
//!
//! ```text
//!                      hand
//!                       v
//! slots    [ a | b | c | d | – | f ]    – is claimed by newcomers that are not settled yet
//! ```
//!
//! A newcomer *claims* a slot: a free one, or that of a member that may go. It removes that member
//! from the map, inserts itself, *enters* the slot and *leaves*: the slot now holds the newcomer.
//! Only claiming, entering and leaving are under the lock.
//!
//! Rules:
//!
//! 1. A slot belongs to the free list, to one claim, or to the member that it holds, and changes
//!    hands under the lock only: `look` and `evict` give it to a claim; the last newcomer that
//!    leaves the claim gives it to the member that entered, else back to the one that was not
//!    evicted in the end, else to the free list; `vacate` gives it to the free list, if it holds
//!    that very member.
//! 2. A newcomer enters the map only with a claim, and only after the slot's last member has left
//!    the map. A slot is freed only after its member has left the map.
//! 3. Whoever removes a member from the map vacates its slot, apart from the newcomers that claimed
//!    the slot. If the member is not settled yet, it is marked, and the slot is freed when the
//!    claim ends. If the slot was claimed from it, the slot is left alone. So no slot is lost.
//! 4. No user code runs under the lock: no hash, no comparison, no clone, no clock, no drop of a
//!    key or a breaker.
//! 5. Newcomers of one hash share a claim when no slot is free.
//! 6. A newcomer looks in the map again after it has claimed a slot, or found none.
//!
//! # The bound
//!
//! There are never more members in the map than slots. By rule 2 there is at most one for each
//! slot, unless two newcomers that share a claim are both in the map. Newcomers of one key are not:
//! the map refuses the second. Those whose keys are not equal though their hashes are, or that are
//! not equal to themselves, may be, until the second to enter removes the first: one member too
//! many for each thread that is inside `get`, and for no longer.
//!
//! # One breaker for each key
//!
//! Two threads that want the same new key get the same breaker, as long as it stays in the set:
//!
//! * Both have a claim, shared or not. The map takes one member in and shows it to the other
//!   thread.
//! * One has none. When it looked, the other had no claim either, as they would share it. So either
//!   the other's member was in the map, where the thread finds it by rule 6. Or the other came
//!   later, and found a slot that was free by then, or that was not among those the first looked
//!   at.
//! * One claims the slot of the other's member, to evict it. That member is still in the map, where
//!   the thread finds it by rule 6, and gives the slot back.
//!
//! Hashes are compared, not keys, as rule 4 demands it. Where different keys have one hash of 64
//! bits, newcomers that share a claim evict each other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    Breaker,
    breaker::looking::Stake,
    machine::word::Word,
    sync::{AtomicBool, Ordering},
};

/// How many members a newcomer looks at, at most, for one that may go.
pub(super) const MAX_SCANNED: usize = 16;

/// A key that has a slot.
pub(super) struct Entry<K> {
    pub(super) key: K,
    pub(super) hash: u64,
    breaker: Arc<Breaker>,
    slot: usize,
    /// Was removed from the map before it had settled. Touched under the lock only.
    removed: AtomicBool,
}

/// The slots.
pub(super) struct Ring<K> {
    bound: usize,
    slots: Mutex<Slots<K>>,
}

struct Slots<K> {
    /// Grows to the bound. `None` is free or claimed.
    entries: Vec<Option<Arc<Entry<K>>>>,
    free: Vec<usize>,
    hand: usize,
    /// As many as threads are inside `get` of a new key, at most.
    claims: Vec<Claim<K>>,
}

/// A slot between two members.
struct Claim<K> {
    slot: usize,
    hash: u64,
    reservations: usize,
    /// The member that had the slot before, until it has left the map.
    evicted: Option<Arc<Entry<K>>>,
    /// The newcomer's member, once it is in the map.
    entered: Option<Arc<Entry<K>>>,
}

/// A newcomer's part in a claim, which ends when this is dropped.
#[must_use = "a slot is given back when it is dropped"]
pub(super) struct Reservation<'a, K> {
    ring: &'a Ring<K>,
    index: usize,
    /// The member that had the slot before, if it was still in the map.
    evicted: Option<Arc<Entry<K>>>,
}

/// A slot that was claimed, and the member that is to leave the map for it.
struct Claimed<K>(usize, Option<Arc<Entry<K>>>);

/// The members that were looked at, with their slots.
type Scanned<K> = Vec<(usize, Arc<Entry<K>>)>;

/// A member that may go, if its breaker still is at this word.
struct Candidate<K> {
    stake: Stake,
    word: Word,
    slot: usize,
    entry: Arc<Entry<K>>,
}

impl<K> Entry<K> {
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

    /// A slot for a newcomer of this hash; `None` if no slot is free, and no member looked at may
    /// go.
    pub(super) fn reserve(&self, hash: u64) -> Option<Reservation<'_, K>> {
        let claimed = self.lock().claim_without_clock(self.bound, hash);
        let scanned = match claimed {
            Ok(claimed) => return Some(self.reservation(claimed)),
            Err(scanned) => scanned,
        };
        // Not under the lock, as it may read clocks. The candidates are dropped later than the lock
        // is given up.
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

    /// Frees the slot of a member that was removed from the map.
    pub(super) fn vacate(&self, entry: &Arc<Entry<K>>) {
        let mut slots = self.lock();
        let held = &mut slots.entries[entry.slot];
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, entry)) {
            // The caller has it too, so this drops no key.
            *held = None;
            slots.free.push(entry.slot);
        } else {
            entry.removed.store(true, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slots<K>> {
        // No user code runs under the lock, so a poisoned one is still whole.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The members that may go, those with the least to lose first.
fn ranked<K>(scanned: Scanned<K>) -> Vec<Candidate<K>> {
    let mut ranked = Vec::with_capacity(scanned.len());
    for (slot, entry) in scanned {
        if let Some((stake, word)) = entry.breaker.stake() {
            ranked.push(Candidate {
                stake,
                word,
                slot,
                entry,
            });
            if stake == Stake::Failures(0) {
                break;
            }
        }
    }
    ranked.sort_by_key(|candidate| candidate.stake);
    ranked
}

impl<K> Slots<K> {
    /// Claims a slot without a clock: one for which no member has to go, else that of a member
    /// whose word alone says that it has nothing to lose.
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

    /// Claims the slot of the first candidate that still is what it was.
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
                && candidate.entry.breaker.stands_at(candidate.word)
        };
        let slot = candidates.iter().find(is_unchanged)?.slot;
        self.hand = (slot + 1) % bound;
        Some(self.evict(slot, hash))
    }

    /// Claims a slot for which no member has to go.
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

    fn claim(&mut self, index: usize, hash: u64, evicted: Option<Arc<Entry<K>>>) -> Claimed<K> {
        self.claims.push(Claim {
            slot: index,
            hash,
            reservations: 1,
            evicted: evicted.clone(),
            entered: None,
        });
        Claimed(index, evicted)
    }

    /// The claim of a slot, by one of its newcomers.
    fn claimed(&mut self, index: usize) -> &mut Claim<K> {
        let mut claims = self.claims.iter_mut();
        let claim = claims.find(|claim| claim.slot == index);
        claim.expect("a claim lasts as long as its reservations")
    }

    /// One newcomer less. What is returned is to be dropped outside the lock.
    fn release(&mut self, index: usize) -> Option<Claim<K>> {
        let claim = self.claimed(index);
        claim.reservations -= 1;
        if claim.reservations > 0 {
            return None;
        }
        let ended = self.claims.iter().position(|claim| claim.slot == index)?;
        let mut claim = self.claims.swap_remove(ended);
        let stays = |entry: &mut Arc<Entry<K>>| !entry.is_removed();
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
    /// The member that had the slot before, and is still to be removed from the map.
    pub(super) fn evicted(&self) -> Option<&Arc<Entry<K>>> {
        self.evicted.as_ref()
    }

    /// The member that had the slot before has left the map.
    pub(super) fn evicted_is_removed(&mut self) {
        let cleared = self.ring.lock().claimed(self.index).evicted.take();
        // Not under the lock: these may be the last.
        drop((cleared, self.evicted.take()));
    }

    /// Leaves the slot to a member of it that has come into the map; `false` if another one has
    /// entered before.
    pub(super) fn enter(&self, entry: &Arc<Entry<K>>) -> bool {
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

    /// Leaves the slot to a member of it that is in the map, in place of the one that is returned.
    pub(super) fn displace(&self, entry: &Arc<Entry<K>>) -> Option<Arc<Entry<K>>> {
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
        // Not under the lock: the ended claim's may be the last.
        drop(ended);
    }
}

#[cfg(test)]
mod tests;

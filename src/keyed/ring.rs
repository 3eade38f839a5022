//! The places of a set of breakers, as many as its bound, gone round in turn.
//!
//! ```text
//!                       hand
//!                        v
//! places   [ a | b | c | d | – | f ]    – is taken by a newcomer that is not in the map yet
//! ```
//!
//! A newcomer *takes* a place: a free one, or that of the next member the hand finds that may go. That
//! member it removes from the map, puts itself there, and *settles*: the place now holds it. Outside the
//! lock, all of it but the first and last step.
//!
//! Rules:
//!
//! 1. A place belongs to the free list, to one newcomer, or to the member that it holds, and changes hands
//!    under the lock only: `take` gives it to a newcomer; `settle` to the member; `release`, and `vacate` if it holds
//!    that very member, to the free list.
//! 2. A newcomer enters the map only with a place, and only after the place's last member has left the map.
//!    A place is freed only after its member has left the map. So there is at most one member of each place
//!    in the map at any moment, and never more members than places.
//! 3. Whoever removes a member from the map vacates its place, apart from the newcomer that took the place over. If
//!    the member has not settled yet, it is marked, and frees the place in place of settling. If the place was taken
//!    from it, it holds another member or none, and is left alone. So no place is lost.
//! 4. No user code runs under the lock: no hash, no comparison, no clone, no drop of a key or a breaker.
//!
//! That the map holds one member a key is the map's doing: of two newcomers of one key one is refused there, and
//! its place is released as it is dropped, as it is by a panic.

use core::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    Breaker,
    sync::{AtomicBool, Ordering},
};

/// How many members a newcomer looks at, at most, for one that may go.
pub(super) const LOOKS: usize = 16;

/// A key that has a place.
pub(super) struct Member<K> {
    pub(super) key: K,
    pub(super) hash: u64,
    breaker: Arc<Breaker>,
    place: usize,
    /// Was removed from the map before it had settled. Touched under the lock only.
    removed: AtomicBool,
}

/// The places.
pub(super) struct Ring<K> {
    bound: usize,
    places: Mutex<Places<K>>,
}

struct Places<K> {
    /// Grows to the bound. `None` is free or a newcomer's.
    held: Vec<Option<Arc<Member<K>>>>,
    free: Vec<usize>,
    hand: usize,
}

/// A place that a newcomer has taken, and gives back unless it settles.
#[must_use = "a place is given back when it is dropped"]
pub(super) struct Place<'a, K> {
    ring: &'a Ring<K>,
    index: usize,
    /// Who had it before, until that one has left the map.
    evicted: Option<Arc<Member<K>>>,
}

impl<K> Member<K> {
    pub(super) fn new(key: K, hash: u64, breaker: Arc<Breaker>, place: &Place<'_, K>) -> Self {
        Self {
            key,
            hash,
            breaker,
            place: place.index,
            removed: AtomicBool::new(false),
        }
    }
}

impl<K> Ring<K> {
    pub(super) fn new(bound: usize) -> Self {
        Self {
            bound,
            places: Mutex::new(Places {
                held: Vec::new(),
                free: Vec::new(),
                hand: 0,
            }),
        }
    }

    pub(super) fn bound(&self) -> usize {
        self.bound
    }

    /// A place for a newcomer; `None` if no member looked at may go.
    pub(super) fn take(&self) -> Option<Place<'_, K>> {
        let (index, evicted) = self.lock().take(self.bound)?;
        Some(Place {
            ring: self,
            index,
            evicted,
        })
    }

    /// Frees the place of a member that was removed from the map.
    pub(super) fn vacate(&self, member: &Arc<Member<K>>) {
        let mut places = self.lock();
        let held = &mut places.held[member.place];
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, member)) {
            // The caller has it too, so this drops no key.
            *held = None;
            places.free.push(member.place);
        } else {
            // ORDERING: Relaxed, here and in `settle`: both are under the lock.
            member.removed.store(true, Ordering::Relaxed);
        }
    }

    fn settle(&self, member: Arc<Member<K>>) {
        let mut places = self.lock();
        if member.removed.load(Ordering::Relaxed) {
            places.free.push(member.place);
            // Not under the lock: the caller's may be the last.
            drop(places);
        } else {
            let place = member.place;
            places.held[place] = Some(member);
        }
    }

    fn release(&self, index: usize) {
        self.lock().free.push(index);
    }

    fn lock(&self) -> MutexGuard<'_, Places<K>> {
        // No user code runs under the lock, so a poisoned one is still whole.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Places<K> {
    fn take(&mut self, bound: usize) -> Option<(usize, Option<Arc<Member<K>>>)> {
        if let Some(index) = self.free.pop() {
            return Some((index, None));
        }
        let many = self.held.len();
        if many < bound {
            self.held.push(None);
            return Some((many, None));
        }
        for _ in 0..LOOKS.min(bound) {
            let index = self.hand;
            self.hand = (index + 1) % bound;
            let evicted = self.held[index].take_if(|member| member.breaker.is_recorded_closed());
            if evicted.is_some() {
                return Some((index, evicted));
            }
        }
        None
    }
}

impl<K> Place<'_, K> {
    /// Who had the place before, and is still to be removed from the map.
    pub(super) fn evicted(&self) -> Option<&Arc<Member<K>>> {
        self.evicted.as_ref()
    }

    /// Who had the place before has left the map.
    pub(super) fn clear(&mut self) {
        self.evicted = None;
    }

    /// Leaves the place to a member of it that has come into the map.
    pub(super) fn settle(self, member: Arc<Member<K>>) {
        self.ring.settle(member);
        mem::forget(self);
    }
}

impl<K> Drop for Place<'_, K> {
    fn drop(&mut self) {
        match self.evicted.take() {
            Some(still_there) => self.ring.settle(still_there),
            None => self.ring.release(self.index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn come(ring: &Ring<u32>, key: u32) -> Arc<Member<u32>> {
        let mut place = ring.take().unwrap();
        place.clear();
        let member = member(key, &place);
        place.settle(Arc::clone(&member));
        member
    }

    fn member(key: u32, place: &Place<'_, u32>) -> Arc<Member<u32>> {
        Arc::new(Member::new(key, 0, Arc::new(Breaker::new()), place))
    }

    /// Who has to go for the next newcomer; `None` if nobody, as a place is free.
    fn goes(ring: &Ring<u32>) -> Option<u32> {
        ring.take().unwrap().evicted().map(|evicted| evicted.key)
    }

    #[test]
    fn a_newcomer_looks_at_sixteen_and_the_next_one_goes_on_from_there() {
        let ring = Ring::new(100);
        for key in 0..100 {
            let breaker = come(&ring, key).breaker.clone();
            if key != 40 {
                breaker.force_open();
            }
        }
        for _ in 0..10 {
            assert!(ring.take().is_none(), "looks at 0 to 15");
            assert!(ring.take().is_none(), "looks at 16 to 31");
            assert_eq!(goes(&ring), Some(40));
            for _ in 41_usize.div_ceil(16)..7 {
                assert!(ring.take().is_none());
            }
            ring.lock().hand = 0;
        }
    }

    #[test]
    fn one_that_is_removed_before_it_has_settled_frees_its_place() {
        let ring = Ring::new(1);
        let place = ring.take().unwrap();
        let early = member(1, &place);
        ring.vacate(&early);
        assert!(ring.take().is_none(), "it is the newcomer's still");
        place.settle(early);
        assert_eq!(goes(&ring), None);
        assert_eq!(ring.lock().free, [0]);
    }

    #[test]
    fn one_that_is_evicted_and_removed_at_once_frees_its_place_once() {
        let ring = Ring::new(1);
        let old = come(&ring, 1);
        let mut place = ring.take().unwrap();
        assert_eq!(place.evicted().unwrap().key, 1);
        ring.vacate(&old);
        assert!(ring.take().is_none(), "it is the newcomer's");
        place.clear();
        let new = member(2, &place);
        place.settle(new);
        ring.vacate(&old);
        assert_eq!(goes(&ring), Some(2));
        assert!(ring.lock().free.is_empty());
    }

    #[test]
    fn one_that_is_not_evicted_in_the_end_keeps_its_place() {
        let ring = Ring::new(1);
        come(&ring, 1);
        drop(ring.take().unwrap());
        assert_eq!(goes(&ring), Some(1));
    }

    #[test]
    fn one_that_is_not_evicted_in_the_end_but_removed_meanwhile_frees_its_place() {
        let ring = Ring::new(1);
        let old = come(&ring, 1);
        let place = ring.take().unwrap();
        ring.vacate(&old);
        drop(place);
        assert_eq!(goes(&ring), None);
    }

    #[test]
    fn a_newcomer_that_does_not_come_gives_its_place_back() {
        let ring = Ring::<u32>::new(1);
        for _ in 0..10 {
            drop(ring.take().unwrap());
        }
        assert_eq!(ring.lock().free, [0]);
        assert_eq!(ring.lock().held.len(), 1);
    }

    #[test]
    fn no_key_and_no_breaker_is_dropped_under_the_lock() {
        struct Key(Arc<Ring<Key>>);

        impl Drop for Key {
            fn drop(&mut self) {
                assert!(self.0.places.try_lock().is_ok());
            }
        }

        let ring = Arc::new(Ring::new(1));
        let come = |place: &Place<'_, Key>| {
            let key = Key(Arc::clone(&ring));
            Arc::new(Member::new(key, 0, Arc::new(Breaker::new()), place))
        };
        let place = ring.take().unwrap();
        let early = come(&place);
        ring.vacate(&early);
        place.settle(early);

        let place = ring.take().unwrap();
        let member = come(&place);
        place.settle(member);
        let mut place = ring.take().unwrap();
        place.clear();
        let member = come(&place);
        place.settle(Arc::clone(&member));
        ring.vacate(&member);
    }
}

use super::*;
use crate::{
    Transition,
    sync::{AtomicU64, Ordering},
};

/// Reserves a slot for a unique hash.
fn reserve(ring: &Ring) -> Option<Reservation<'_>> {
    static NEXT: AtomicU64 = AtomicU64::new(1_000);
    ring.reserve(NEXT.fetch_add(1, Ordering::Relaxed))
}

fn insert(ring: &Ring, key: u32) -> RingEntry {
    let mut slot = reserve(ring).unwrap();
    slot.evicted_is_removed();
    let new = entry(key, &slot);
    assert!(slot.occupy(&new));
    new
}

/// An entry whose key is its hash.
fn entry(key: u32, slot: &Reservation<'_>) -> RingEntry {
    slot.entry(key.into(), Arc::new(Breaker::new()))
}

fn key(entry: &RingEntry) -> u64 {
    entry.id.hash
}

/// The entry that the next insertion evicts; `None` if a slot is free.
fn next_evicted(ring: &Ring) -> Option<u64> {
    reserve(ring).unwrap().evicted().map(key)
}

fn held(ring: &Ring, slot: usize) -> Option<u64> {
    ring.lock().entries[slot].as_ref().map(key)
}

#[test]
fn reservations_of_one_hash_share_the_last_slot_and_another_hash_gets_none() {
    let ring = Ring::new(1);
    insert(&ring, 1);
    let mut one = ring.reserve(2).unwrap();
    let mut other = ring.reserve(2).unwrap();
    assert!(ring.reserve(3).is_none());
    assert_eq!(key(one.evicted().unwrap()), 1);
    assert_eq!(key(other.evicted().unwrap()), 1);
    one.evicted_is_removed();
    let new = entry(2, &one);
    assert!(one.occupy(&new));
    drop(one);
    assert_eq!(held(&ring, 0), None, "while a reservation is left");
    other.evicted_is_removed();
    drop(other);
    assert_eq!(held(&ring, 0), Some(2));
}

#[test]
fn the_second_entry_of_a_slot_displaces_the_first() {
    let ring = Ring::new(1);
    insert(&ring, 1);
    let (mut one, other) = (ring.reserve(2), ring.reserve(2));
    one.as_mut().unwrap().evicted_is_removed();
    let [one, other] = [one, other].map(Option::unwrap);
    let [first, second] = [entry(2, &one), entry(2, &other)];
    assert!(one.occupy(&first));
    assert!(!other.occupy(&second));
    let displaced = other.displace(&second).unwrap();
    assert_eq!(displaced.id, first.id);
    drop((one, other));
    let slots = ring.lock();
    assert!(slots.holds(second.id));
    assert!(slots.free.is_empty() && slots.claims.is_empty());
}

#[test]
fn a_removed_entry_displaces_none() {
    let ring = Ring::new(1);
    insert(&ring, 1);
    let mut one = ring.reserve(2).unwrap();
    let other = ring.reserve(2).unwrap();
    one.evicted_is_removed();
    let [first, second] = [entry(2, &one), entry(2, &other)];
    ring.vacate(second.id);
    assert!(one.occupy(&first));
    assert!(other.occupy(&second));
    assert!(other.displace(&second).is_none());
    drop((one, other));
    assert!(ring.lock().holds(first.id));
}

#[test]
fn a_reservation_scans_sixteen_entries_and_the_next_continues_there() {
    let ring = Ring::new(100);
    for key in 0..100 {
        let breaker = insert(&ring, key).breaker.clone();
        if key != 40 {
            breaker.force_open();
        }
    }
    for _ in 0..10 {
        assert!(reserve(&ring).is_none(), "scans 0 to 15");
        assert!(reserve(&ring).is_none(), "scans 16 to 31");
        assert_eq!(next_evicted(&ring), Some(40));
        for _ in 41_usize.div_ceil(16)..7 {
            assert!(reserve(&ring).is_none());
        }
        ring.lock().hand = 0;
    }
}

#[test]
fn an_entry_removed_before_its_reservation_ends_frees_its_slot() {
    let ring = Ring::new(1);
    let slot = reserve(&ring).unwrap();
    let early = entry(1, &slot);
    ring.vacate(early.id);
    assert!(
        reserve(&ring).is_none(),
        "the reservation still owns the slot"
    );
    assert!(slot.occupy(&early));
    drop(slot);
    assert_eq!(next_evicted(&ring), None);
    assert_eq!(ring.lock().free, [0]);
}

#[test]
fn an_entry_evicted_and_removed_at_once_frees_its_slot_once() {
    let ring = Ring::new(1);
    let old = insert(&ring, 1);
    let mut slot = reserve(&ring).unwrap();
    assert_eq!(key(slot.evicted().unwrap()), 1);
    ring.vacate(old.id);
    assert!(reserve(&ring).is_none(), "the reservation owns the slot");
    slot.evicted_is_removed();
    let new = entry(2, &slot);
    assert!(slot.occupy(&new));
    drop(slot);
    ring.vacate(old.id);
    assert_eq!(next_evicted(&ring), Some(2));
    assert!(ring.lock().free.is_empty());
}

#[test]
fn an_entry_whose_eviction_is_abandoned_keeps_its_slot() {
    let ring = Ring::new(1);
    insert(&ring, 1);
    drop(reserve(&ring).unwrap());
    assert_eq!(next_evicted(&ring), Some(1));
}

#[test]
fn an_entry_removed_during_an_abandoned_eviction_frees_its_slot() {
    let ring = Ring::new(1);
    let old = insert(&ring, 1);
    let slot = reserve(&ring).unwrap();
    ring.vacate(old.id);
    drop(slot);
    assert_eq!(next_evicted(&ring), None);
}

#[test]
fn an_unused_reservation_returns_its_slot() {
    let ring = Ring::new(1);
    for _ in 0..10 {
        drop(reserve(&ring).unwrap());
    }
    assert_eq!(ring.lock().free, [0]);
    assert_eq!(ring.lock().entries.len(), 1);
}

#[test]
fn no_breaker_is_dropped_under_the_lock() {
    /// What a listener captures: dropped with its breaker.
    struct Captured(Arc<Ring>);

    impl Drop for Captured {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::Relaxed);
            assert!(self.0.slots.try_lock().is_ok());
        }
    }

    static DROPPED: AtomicU64 = AtomicU64::new(0);
    let ring = Arc::new(Ring::new(1));
    let new_entry = |slot: &Reservation<'_>| {
        let captured = Captured(Arc::clone(&ring));
        let listener = move |_: &Transition| assert!(captured.0.bound() > 0);
        let breaker = Breaker::new().with_shared_listener(Arc::new(listener));
        slot.entry(0, Arc::new(breaker))
    };
    let slot = reserve(&ring).unwrap();
    let early = new_entry(&slot);
    ring.vacate(early.id);
    assert!(slot.occupy(&early));
    drop((slot, early));

    let slot = reserve(&ring).unwrap();
    assert!(slot.occupy(&new_entry(&slot)));
    drop(slot);
    let mut slot = reserve(&ring).unwrap();
    slot.evicted_is_removed();
    let entry = new_entry(&slot);
    assert!(slot.occupy(&entry));
    drop(slot);
    let id = entry.id;
    drop(entry);
    ring.vacate(id);

    let slot = reserve(&ring).unwrap();
    let early = new_entry(&slot);
    assert!(slot.occupy(&early));
    ring.vacate(early.id);
    drop(early);
    drop(slot);
    assert_eq!(DROPPED.load(Ordering::Relaxed), 4);
}

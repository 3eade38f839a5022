use super::*;
use crate::sync::AtomicU64;

/// Reserves a slot for a unique hash.
fn reserve<K>(ring: &Ring<K>) -> Option<Reservation<'_, K>> {
    static NEXT: AtomicU64 = AtomicU64::new(1_000);
    ring.reserve(NEXT.fetch_add(1, Ordering::Relaxed))
}

fn insert(ring: &Ring<u32>, key: u32) -> Arc<BreakerEntry<u32>> {
    let mut slot = reserve(ring).unwrap();
    slot.evicted_is_removed();
    let new = entry(key, &slot);
    assert!(slot.occupy(&new));
    new
}

/// An entry whose key is its hash.
fn entry(key: u32, slot: &Reservation<'_, u32>) -> Arc<BreakerEntry<u32>> {
    Arc::new(BreakerEntry::new(
        key,
        key.into(),
        Arc::new(Breaker::new()),
        slot,
    ))
}

/// The entry that the next insertion evicts; `None` if a slot is free.
fn next_evicted(ring: &Ring<u32>) -> Option<u32> {
    reserve(ring).unwrap().evicted().map(|evicted| evicted.key)
}

fn held(ring: &Ring<u32>, slot: usize) -> Option<u32> {
    ring.lock().entries[slot].as_ref().map(|entry| entry.key)
}

#[test]
fn reservations_of_one_hash_share_the_last_slot_and_another_hash_gets_none() {
    let ring = Ring::new(1);
    insert(&ring, 1);
    let mut one = ring.reserve(2).unwrap();
    let mut other = ring.reserve(2).unwrap();
    assert!(ring.reserve(3).is_none());
    assert_eq!(one.evicted().unwrap().key, 1);
    assert_eq!(other.evicted().unwrap().key, 1);
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
    assert!(Arc::ptr_eq(&displaced, &first));
    drop((one, other));
    let slots = ring.lock();
    assert!(Arc::ptr_eq(slots.entries[0].as_ref().unwrap(), &second));
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
    ring.vacate(&second);
    assert!(one.occupy(&first));
    assert!(other.occupy(&second));
    assert!(other.displace(&second).is_none());
    drop((one, other));
    assert!(Arc::ptr_eq(
        ring.lock().entries[0].as_ref().unwrap(),
        &first
    ));
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
    ring.vacate(&early);
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
    assert_eq!(slot.evicted().unwrap().key, 1);
    ring.vacate(&old);
    assert!(reserve(&ring).is_none(), "the reservation owns the slot");
    slot.evicted_is_removed();
    let new = entry(2, &slot);
    assert!(slot.occupy(&new));
    drop(slot);
    ring.vacate(&old);
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
    ring.vacate(&old);
    drop(slot);
    assert_eq!(next_evicted(&ring), None);
}

#[test]
fn an_unused_reservation_returns_its_slot() {
    let ring = Ring::<u32>::new(1);
    for _ in 0..10 {
        drop(reserve(&ring).unwrap());
    }
    assert_eq!(ring.lock().free, [0]);
    assert_eq!(ring.lock().entries.len(), 1);
}

#[test]
fn no_key_and_no_breaker_is_dropped_under_the_lock() {
    struct KeyWithRing(Arc<Ring<KeyWithRing>>);

    impl Drop for KeyWithRing {
        fn drop(&mut self) {
            assert!(self.0.slots.try_lock().is_ok());
        }
    }

    let ring = Arc::new(Ring::new(1));
    let new_entry = |slot: &Reservation<'_, KeyWithRing>| {
        let key = KeyWithRing(Arc::clone(&ring));
        Arc::new(BreakerEntry::new(key, 0, Arc::new(Breaker::new()), slot))
    };
    let slot = reserve(&ring).unwrap();
    let early = new_entry(&slot);
    ring.vacate(&early);
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
    ring.vacate(&entry);

    let slot = reserve(&ring).unwrap();
    let early = new_entry(&slot);
    assert!(slot.occupy(&early));
    ring.vacate(&early);
    drop(early);
    drop(slot);
}

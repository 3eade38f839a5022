use super::*;
use crate::sync::AtomicU64;

/// A slot for a newcomer of a hash that no other has.
fn take<K>(ring: &Ring<K>) -> Option<Slot<'_, K>> {
    static NEXT: AtomicU64 = AtomicU64::new(1_000);
    ring.take(NEXT.fetch_add(1, Ordering::Relaxed))
}

fn come(ring: &Ring<u32>, key: u32) -> Arc<Member<u32>> {
    let mut slot = take(ring).unwrap();
    slot.clear();
    let member = member(key, &slot);
    assert!(slot.enter(&member));
    member
}

/// A member whose key is its hash.
fn member(key: u32, slot: &Slot<'_, u32>) -> Arc<Member<u32>> {
    Arc::new(Member::new(key, key.into(), Arc::new(Breaker::new()), slot))
}

/// The member that has to go for the next newcomer; `None` if none has, as a slot is free.
fn goes(ring: &Ring<u32>) -> Option<u32> {
    take(ring).unwrap().evicted().map(|evicted| evicted.key)
}

fn held(ring: &Ring<u32>, slot: usize) -> Option<u32> {
    ring.lock().held[slot].as_ref().map(|member| member.key)
}

#[test]
fn newcomers_of_one_hash_share_the_last_slot_and_those_of_another_get_none() {
    let ring = Ring::new(1);
    come(&ring, 1);
    let mut one = ring.take(2).unwrap();
    let mut other = ring.take(2).unwrap();
    assert!(ring.take(3).is_none());
    assert_eq!(one.evicted().unwrap().key, 1);
    assert_eq!(other.evicted().unwrap().key, 1);
    one.clear();
    let member = member(2, &one);
    assert!(one.enter(&member));
    drop(one);
    assert_eq!(held(&ring, 0), None, "as long as a newcomer is there");
    other.clear();
    drop(other);
    assert_eq!(held(&ring, 0), Some(2));
}

#[test]
fn of_two_in_one_slot_the_second_displaces_the_first() {
    let ring = Ring::new(1);
    come(&ring, 1);
    let (mut one, other) = (ring.take(2), ring.take(2));
    one.as_mut().unwrap().clear();
    let [one, other] = [one, other].map(Option::unwrap);
    let [first, second] = [member(2, &one), member(2, &other)];
    assert!(one.enter(&first));
    assert!(!other.enter(&second));
    let displaced = other.displace(&second).unwrap();
    assert!(Arc::ptr_eq(&displaced, &first));
    drop((one, other));
    let slots = ring.lock();
    assert!(Arc::ptr_eq(slots.held[0].as_ref().unwrap(), &second));
    assert!(slots.free.is_empty() && slots.claims.is_empty());
}

#[test]
fn one_that_was_removed_displaces_none() {
    let ring = Ring::new(1);
    come(&ring, 1);
    let mut one = ring.take(2).unwrap();
    let other = ring.take(2).unwrap();
    one.clear();
    let [first, second] = [member(2, &one), member(2, &other)];
    ring.vacate(&second);
    assert!(one.enter(&first));
    assert!(other.enter(&second));
    assert!(other.displace(&second).is_none());
    drop((one, other));
    assert!(Arc::ptr_eq(ring.lock().held[0].as_ref().unwrap(), &first));
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
        assert!(take(&ring).is_none(), "looks at 0 to 15");
        assert!(take(&ring).is_none(), "looks at 16 to 31");
        assert_eq!(goes(&ring), Some(40));
        for _ in 41_usize.div_ceil(16)..7 {
            assert!(take(&ring).is_none());
        }
        ring.lock().hand = 0;
    }
}

#[test]
fn one_that_is_removed_before_it_has_settled_frees_its_slot() {
    let ring = Ring::new(1);
    let slot = take(&ring).unwrap();
    let early = member(1, &slot);
    ring.vacate(&early);
    assert!(take(&ring).is_none(), "it is the newcomer's still");
    assert!(slot.enter(&early));
    drop(slot);
    assert_eq!(goes(&ring), None);
    assert_eq!(ring.lock().free, [0]);
}

#[test]
fn one_that_is_evicted_and_removed_at_once_frees_its_slot_once() {
    let ring = Ring::new(1);
    let old = come(&ring, 1);
    let mut slot = take(&ring).unwrap();
    assert_eq!(slot.evicted().unwrap().key, 1);
    ring.vacate(&old);
    assert!(take(&ring).is_none(), "it is the newcomer's");
    slot.clear();
    let new = member(2, &slot);
    assert!(slot.enter(&new));
    drop(slot);
    ring.vacate(&old);
    assert_eq!(goes(&ring), Some(2));
    assert!(ring.lock().free.is_empty());
}

#[test]
fn one_that_is_not_evicted_in_the_end_keeps_its_slot() {
    let ring = Ring::new(1);
    come(&ring, 1);
    drop(take(&ring).unwrap());
    assert_eq!(goes(&ring), Some(1));
}

#[test]
fn one_that_is_not_evicted_in_the_end_but_removed_meanwhile_frees_its_slot() {
    let ring = Ring::new(1);
    let old = come(&ring, 1);
    let slot = take(&ring).unwrap();
    ring.vacate(&old);
    drop(slot);
    assert_eq!(goes(&ring), None);
}

#[test]
fn a_newcomer_that_does_not_come_gives_its_slot_back() {
    let ring = Ring::<u32>::new(1);
    for _ in 0..10 {
        drop(take(&ring).unwrap());
    }
    assert_eq!(ring.lock().free, [0]);
    assert_eq!(ring.lock().held.len(), 1);
}

#[test]
fn no_key_and_no_breaker_is_dropped_under_the_lock() {
    struct Key(Arc<Ring<Key>>);

    impl Drop for Key {
        fn drop(&mut self) {
            assert!(self.0.slots.try_lock().is_ok());
        }
    }

    let ring = Arc::new(Ring::new(1));
    let come = |slot: &Slot<'_, Key>| {
        let key = Key(Arc::clone(&ring));
        Arc::new(Member::new(key, 0, Arc::new(Breaker::new()), slot))
    };
    let slot = take(&ring).unwrap();
    let early = come(&slot);
    ring.vacate(&early);
    assert!(slot.enter(&early));
    drop((slot, early));

    let slot = take(&ring).unwrap();
    assert!(slot.enter(&come(&slot)));
    drop(slot);
    let mut slot = take(&ring).unwrap();
    slot.clear();
    let member = come(&slot);
    assert!(slot.enter(&member));
    drop(slot);
    ring.vacate(&member);

    let slot = take(&ring).unwrap();
    let early = come(&slot);
    assert!(slot.enter(&early));
    ring.vacate(&early);
    drop(early);
    drop(slot);
}

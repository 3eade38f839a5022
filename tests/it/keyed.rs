//! One breaker for each key, and never more breakers than the bound.

use std::{
    cell::Cell,
    hash::{Hash, Hasher},
    panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind},
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use cutout::{
    Breaker, Outcome, Policy, PolicyError, Reason, Recorded, State, Transition, Trip,
    clock::Manual, keyed::Breakers,
};

use crate::support::SECOND;

const EACH: cutout::Builder = Breaker::builder()
    .trip(Trip::consecutive(1))
    .open_for(SECOND);

fn bounded(bound: u32) -> (Breakers<u32>, Arc<Manual>) {
    let clock = Arc::new(Manual::new());
    let builder = Breakers::builder().each(EACH).bound(bound);
    (builder.shared_clock(clock.clone()).build(), clock)
}

fn trip(breaker: &Breaker) {
    let permit = breaker.try_acquire().unwrap();
    assert_eq!(permit.record(Outcome::Failure), Recorded::Tripped);
}

/// The keys in the set, sorted.
fn keys<K: Clone + Ord + Hash>(breakers: &Breakers<K>) -> Vec<K> {
    let mut keys = Vec::new();
    breakers.for_each(|key, _| keys.push(key.clone()));
    keys.sort();
    assert_eq!(breakers.len(), keys.len());
    keys
}

#[test]
fn each_key_has_a_breaker_of_its_own_and_keeps_it() {
    let (breakers, _) = bounded(8);
    let one = breakers.get(&1);
    assert!(Arc::ptr_eq(&one, &breakers.get(&1)));
    assert!(!Arc::ptr_eq(&one, &breakers.get(&2)));
    trip(&one);
    assert_eq!(breakers.get(&1).state(), State::Open);
    assert_eq!(breakers.get(&2).state(), State::Closed);
    assert_eq!(keys(&breakers), [1, 2]);
}

#[test]
fn a_set_is_send_and_sync() {
    fn anywhere<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
    anywhere::<Breakers<String>>();
}

#[test]
fn lookups_build_no_breaker() {
    let (breakers, _) = bounded(8);
    assert!(breakers.find(&1).is_none());
    assert!(breakers.remove(&1).is_none());
    assert!(breakers.is_empty());
    let made = breakers.get(&1);
    assert!(Arc::ptr_eq(&made, &breakers.find(&1).unwrap()));
}

/// A borrowed key that counts how often it is converted into an owned one.
#[derive(PartialEq, Eq, Hash)]
struct Owned(String);

thread_local!(static OWNED: Cell<u32> = const { Cell::new(0) });

impl Clone for Owned {
    fn clone(&self) -> Self {
        OWNED.set(OWNED.get() + 1);
        Self(self.0.clone())
    }
}

#[test]
fn a_key_becomes_owned_once_on_insertion_and_never_for_a_hit_or_the_overflow() {
    let breakers = Breakers::<Owned>::builder().each(EACH).bound(1).build();
    let host = Owned("eu.example.com".into());
    trip(&breakers.get(&host));
    assert_eq!(OWNED.get(), 1);
    for _ in 0..100 {
        breakers.get(&host);
        breakers.get(&Owned("us.example.com".into()));
    }
    assert_eq!(OWNED.get(), 1);
}

#[test]
fn a_borrowed_key_finds_an_owned_one() {
    let breakers = Breakers::<String>::builder().build();
    let made = breakers.get("eu.example.com");
    let owned = String::from("eu.example.com");
    assert!(Arc::ptr_eq(&made, &breakers.get(&owned)));
    assert!(Arc::ptr_eq(
        &made,
        &breakers.remove("eu.example.com").unwrap()
    ));
    assert!(breakers.find(&owned).is_none());
}

#[test]
fn a_bound_or_a_policy_out_of_bounds_is_refused_by_name_value_and_bound() {
    let bound = |most| Breakers::<u32>::builder().bound(most).try_build();
    let error_of = |most| bound(most).unwrap_err().to_string();
    assert_eq!(error_of(0), "bound must be 1 to 16777216, got 0");
    assert_eq!(
        error_of(16_777_217),
        "bound must be 1 to 16777216, got 16777217"
    );
    assert_eq!(bound(1).unwrap().bound(), 1);
    assert_eq!(bound(16_777_216).unwrap().bound(), 16_777_216);
    assert_eq!(Breakers::<u32>::builder().build().bound(), 10_000);

    let refused = Breakers::<u32>::builder().each(Breaker::builder().probes(0));
    let error = refused.try_build().unwrap_err();
    assert_eq!(error.to_string(), "probes must be 1 to 63, got 0");
    let mended = Breakers::<u32>::builder().each(Breaker::builder().probes(0));
    mended.each_by(|_| Breaker::new()).try_build().unwrap();
}

#[test]
#[should_panic(expected = "bound must be 1 to 16777216, got 0")]
fn build_panics_with_the_reason() {
    let _ = Breakers::<u32>::builder().bound(0).build();
}

#[test]
fn at_the_bound_the_oldest_is_evicted() {
    let (breakers, _) = bounded(3);
    for key in 0..3 {
        breakers.get(&key);
    }
    assert_eq!(keys(&breakers), [0, 1, 2]);
    for new_key in 3..20 {
        breakers.get(&0); // Use does not make it younger.
        breakers.get(&new_key);
        assert!(breakers.find(&new_key).is_some());
        assert!(breakers.len() <= 3);
    }
}

#[test]
fn entries_are_evicted_in_order_of_insertion() {
    let (breakers, _) = bounded(3);
    for key in 0..20_u32 {
        breakers.get(&key);
        let oldest = key.saturating_sub(2);
        assert_eq!(keys(&breakers), (oldest..=key).collect::<Vec<_>>());
    }
}

#[test]
fn a_breaker_that_is_not_closed_keeps_its_slot_in_a_flood() {
    let (breakers, clock) = bounded(20);
    let [open, half_open, forced, disabled] = [0, 1, 2, 3].map(|key| breakers.get(&key));
    trip(&half_open);
    clock.advance(SECOND);
    trip(&open);
    let probe = half_open.try_acquire().unwrap();
    forced.force_open();
    disabled.disable();

    for new_key in 100..10_000 {
        breakers.get(&new_key).call(|| Ok::<_, ()>(())).unwrap();
        assert!(breakers.len() <= 20);
    }
    for (key, breaker, state) in [
        (0, &open, State::Open),
        (1, &half_open, State::HalfOpen),
        (2, &forced, State::ForcedOpen),
        (3, &disabled, State::Disabled),
    ] {
        let still = breakers.find(&key).unwrap();
        assert!(Arc::ptr_eq(breaker, &still));
        assert_eq!(still.state(), state);
    }
    let rejected = breakers.get(&0).try_acquire().unwrap_err();
    assert_eq!(rejected.retry_after(), Some(SECOND));
    assert_eq!(probe.record(Outcome::Success), Recorded::Recovered);
    assert_eq!(breakers.find(&1).unwrap().state(), State::Closed);
}

#[test]
fn an_open_breaker_past_its_deadline_keeps_its_slot_as_long_again_as_it_was_open() {
    let (breakers, clock) = bounded(1);
    trip(&breakers.get(&1));
    clock.advance(Duration::from_millis(1_999));
    assert_eq!(breakers.get(&1).state(), State::HalfOpen);
    assert!(Arc::ptr_eq(&breakers.get(&2), &breakers.overflow()));
    assert_eq!(keys(&breakers), [1]);
    clock.advance(Duration::from_millis(1));
    assert!(!Arc::ptr_eq(&breakers.get(&2), &breakers.overflow()));
    assert_eq!(keys(&breakers), [2]);
}

#[test]
fn an_open_period_of_milliseconds_keeps_its_slot_for_a_second() {
    let clock = Arc::new(Manual::new());
    let breakers = Breakers::<u32>::builder().bound(1);
    let breakers = breakers.shared_clock(clock.clone()).build();
    breakers.get(&1).force_open_for(Duration::from_millis(10));
    clock.advance(Duration::from_millis(1_009));
    breakers.get(&2);
    assert_eq!(keys(&breakers), [1]);
    clock.advance(Duration::from_millis(1));
    breakers.get(&2);
    assert_eq!(keys(&breakers), [2]);
}

#[test]
fn a_half_open_breaker_keeps_its_slot_as_long_again_as_its_lease() {
    let clock = Arc::new(Manual::new());
    let breakers = Breakers::<u32>::builder()
        .each(EACH.probe_lease(20 * SECOND))
        .bound(1)
        .shared_clock(clock.clone())
        .build();
    trip(&breakers.get(&1));
    clock.advance(SECOND);
    std::mem::forget(breakers.get(&1).try_acquire_owned().unwrap());
    clock.advance(39 * SECOND);
    breakers.get(&2);
    assert_eq!(keys(&breakers), [1]);
    clock.advance(SECOND);
    breakers.get(&2);
    assert_eq!(keys(&breakers), [2]);
}

#[test]
fn a_breaker_held_by_an_operator_keeps_its_slot_for_ever() {
    let (breakers, clock) = bounded(2);
    breakers.get(&1).force_open();
    breakers.get(&2).disable();
    for _ in 0..100 {
        clock.advance(Duration::from_hours(24));
        breakers.get(&3);
        assert_eq!(keys(&breakers), [1, 2]);
    }
}

#[test]
fn unused_dead_hosts_evict_no_host_in_use() {
    let clock = Arc::new(Manual::new());
    let breakers = Breakers::<u32>::builder()
        .each(Breaker::builder().open_for(5 * SECOND))
        .bound(100)
        .shared_clock(clock.clone())
        .build();
    let overflow = breakers.overflow();
    for dead in 1_000..4_000 {
        clock.advance(SECOND);
        for _ in 0..5 {
            let _ = breakers.get(&dead).call(|| Err::<(), _>(()));
        }
        let living = breakers.get(&(dead % 7));
        assert!(!Arc::ptr_eq(&living, &overflow), "at {dead}");
        living.call(|| Ok::<_, ()>(())).unwrap();
        assert!(breakers.len() <= 100);
    }
}

/// A trip of each kind of window, all of which trip at three failures.
fn three_failures() -> [cutout::Builder; 5] {
    [
        Trip::consecutive(3),
        Trip::failures(3).of_last(10),
        Trip::failures(3).of_last(100),
        Trip::failures(3).within(100 * SECOND),
        Trip::percent(10).min_calls(3).within(100 * SECOND),
    ]
    .map(|trip| Breaker::builder().trip(trip).open_for(SECOND))
}

#[test]
fn a_closed_breaker_with_failures_outlasts_newcomers_without() {
    for each in three_failures() {
        let clock = Arc::new(Manual::new());
        let breakers = Breakers::<u32>::builder()
            .each(each)
            .bound(100)
            .shared_clock(clock.clone())
            .build();
        for call in 1..=3 {
            let _ = breakers.get(&0).call(|| Err::<(), _>(()));
            if call < 3 {
                for stranger in 0..1_000 {
                    let stranger = breakers.get(&(1_000 * call + stranger));
                    stranger.call(|| Ok::<_, ()>(())).unwrap();
                }
            }
        }
        let trip = each.build().policy().trip;
        let state = breakers.find(&0).map(|breaker| breaker.state());
        assert_eq!(state, Some(State::Open), "{trip:?}");
    }
}

#[test]
fn of_closed_breakers_the_one_with_the_fewest_failures_is_evicted() {
    for each in three_failures() {
        let breakers = Breakers::<u32>::builder().each(each).bound(3).build();
        for (key, failures) in [(1, 2), (2, 1), (3, 2)] {
            for _ in 0..failures {
                let _ = breakers.get(&key).call(|| Err::<(), _>(()));
            }
        }
        breakers.get(&4);
        assert_eq!(keys(&breakers), [1, 3, 4], "{each:?}");
        breakers.get(&5);
        assert_eq!(keys(&breakers), [1, 3, 5], "{each:?}");
    }
}

#[test]
fn of_closed_breakers_with_equal_failures_the_oldest_is_evicted() {
    let breakers = Breakers::<u32>::builder().bound(40).build();
    for key in 0..60 {
        let _ = breakers.get(&key).call(|| Err::<(), _>(()));
        let oldest = (key + 1_u32).saturating_sub(40);
        assert_eq!(keys(&breakers), (oldest..=key).collect::<Vec<_>>());
    }
}

#[test]
fn a_time_window_whose_failures_have_expired_is_evicted_like_an_empty_one() {
    for each in three_failures().into_iter().skip(3) {
        let clock = Arc::new(Manual::new());
        let breakers = Breakers::<u32>::builder().each(each).bound(2);
        let breakers = breakers.shared_clock(clock.clone()).build();
        let _ = breakers.get(&1).call(|| Err::<(), _>(()));
        clock.advance(200 * SECOND);
        let _ = breakers.get(&2).call(|| Err::<(), _>(()));
        breakers.get(&3);
        assert_eq!(keys(&breakers), [2, 3], "{each:?}");
    }
}

#[test]
fn a_closed_breaker_is_evicted_before_a_long_open_one() {
    let (breakers, clock) = bounded(2);
    trip(&breakers.get(&1));
    clock.advance(100 * SECOND);
    breakers.get(&2);
    breakers.get(&3);
    assert_eq!(keys(&breakers), [1, 3]);
}

#[test]
fn a_clock_that_uses_the_set_or_panics_leaves_it_whole() {
    struct ReentrantClock(AtomicUsize);
    static CLOCK: ReentrantClock = ReentrantClock(AtomicUsize::new(0));
    static SET: std::sync::LazyLock<Breakers<u32>> = std::sync::LazyLock::new(|| {
        Breakers::builder()
            .each(EACH.clock(&CLOCK))
            .bound(2)
            .build()
    });

    impl cutout::clock::Clock for ReentrantClock {
        fn now(&self) -> u64 {
            match self.0.fetch_add(1, Ordering::SeqCst) % 3 {
                _ if DEPTH.get() > 0 => {}
                0 => {
                    DEPTH.set(1);
                    SET.get(&7);
                    SET.remove(&7);
                    DEPTH.set(0);
                }
                1 if thread::current().name() == Some("panics") => panic!("no time"),
                _ => {}
            }
            0
        }
    }

    for key in 0..2 {
        trip(&SET.get(&key));
    }
    let asked = thread::Builder::new().name("panics".into()).spawn(|| {
        for key in 10..50 {
            let _ = catch_unwind(|| SET.get(&key));
            assert!(SET.len() <= 2);
        }
    });
    asked.unwrap().join().unwrap();
    SET.retain(|_, _| false);
    for key in 0..2 {
        SET.get(&key);
    }
    assert_eq!(keys(&SET), [0, 1]);
}

#[test]
fn new_keys_share_the_overflow_breaker_until_an_entry_is_closed() {
    let (breakers, clock) = bounded(20);
    for key in 0..20 {
        trip(&breakers.get(&key));
    }
    let overflow = breakers.overflow();
    for new_key in 100..200 {
        assert!(Arc::ptr_eq(&breakers.get(&new_key), &overflow));
    }
    trip(&breakers.get(&100));
    let shared = breakers.get(&101).try_acquire().unwrap_err();
    assert_eq!(shared.reason(), Reason::Open);
    assert_eq!(keys(&breakers), (0..20).collect::<Vec<_>>());

    clock.advance(SECOND);
    breakers.get(&7).call(|| Ok::<_, ()>(())).unwrap();
    // Twenty slots and sixteen checks each: the second new key finds the free one, if the first
    // does not.
    breakers.get(&100);
    let own = breakers.get(&100);
    assert!(!Arc::ptr_eq(&own, &overflow));
    assert!(breakers.find(&7).is_none());
    assert_eq!(breakers.len(), 20);
}

#[test]
fn a_call_of_an_evicted_breaker_ends_on_it_and_the_key_starts_afresh() {
    let (breakers, _) = bounded(1);
    let first = breakers.get(&1);
    let permit = first.try_acquire_owned().unwrap();
    breakers.get(&2);
    assert!(breakers.find(&1).is_none());
    assert_eq!(permit.record(Outcome::Failure), Recorded::Tripped);
    assert_eq!(first.state(), State::Open);
    assert_eq!(breakers.get(&1).state(), State::Closed);
}

#[test]
fn a_removed_entry_releases_its_slot() {
    let (breakers, _) = bounded(4);
    for key in 0..4 {
        breakers.get(&key);
    }
    for round in 0..100 {
        trip(&breakers.remove(&1).unwrap());
        assert_eq!(keys(&breakers), [0, 2, 3], "round {round}");
        assert_eq!(breakers.get(&1).state(), State::Closed);
        assert_eq!(keys(&breakers), [0, 1, 2, 3], "round {round}");
    }
}

#[test]
fn retain_removes_rejected_entries_and_releases_their_slots() {
    let (breakers, _) = bounded(100);
    for key in 0..100 {
        breakers.get(&key);
    }
    trip(&breakers.get(&10));
    breakers.retain(|key, breaker| key % 10 == 0 && breaker.state() == State::Closed);
    let mut expected = vec![0, 20, 30, 40, 50, 60, 70, 80, 90];
    assert_eq!(keys(&breakers), expected);
    for new_key in 100..191 {
        breakers.get(&new_key);
        expected.push(new_key);
    }
    assert_eq!(keys(&breakers), expected, "no entry was evicted");
    breakers.get(&200);
    assert_eq!(breakers.len(), 100);
}

#[test]
fn a_listener_gets_the_key_and_none_for_the_overflow_breaker() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let breakers = Breakers::<String>::builder()
        .each(EACH.name("hosts"))
        .bound(1)
        .listener({
            let log = log.clone();
            move |host: Option<&String>, transition: &Transition| {
                log.lock()
                    .unwrap()
                    .push((host.cloned(), transition.to, transition.name));
            }
        })
        .build();
    trip(&breakers.get("eu"));
    trip(&breakers.get("us"));
    assert_eq!(
        *log.lock().unwrap(),
        [
            (Some("eu".into()), State::Open, Some("hosts")),
            (None, State::Open, Some("hosts")),
        ]
    );
}

#[test]
fn the_breaker_of_a_key_can_be_made_for_it() {
    let breakers = Breakers::<&str>::builder()
        .each_by(|tier| match tier {
            Some(&"gold") => Breaker::builder().name("gold").build(),
            Some(_) => EACH.name("other").build(),
            None => EACH.name("overflow").build(),
        })
        .build();
    assert_eq!(breakers.get(&"gold").snapshot().name, Some("gold"));
    assert_eq!(breakers.get(&"lead").snapshot().name, Some("other"));
    assert_eq!(breakers.overflow().snapshot().name, Some("overflow"));
}

#[test]
fn a_policy_of_a_key_that_is_out_of_bounds_panics_in_no_get_and_is_reported() {
    let reported = Arc::new(Mutex::new(Vec::new()));
    let probes = |tenant: Option<&u32>| Policy::new().probes(tenant.copied().unwrap_or(1));
    let breakers = Breakers::builder()
        .each_policy(probes, {
            let reported = reported.clone();
            move |tenant: &u32, error: &PolicyError| {
                reported.lock().unwrap().push((*tenant, error.to_string()));
            }
        })
        .each(EACH.probes(7).name("tenants"))
        .build();
    assert_eq!(breakers.get(&2).policy().probes, 2);
    assert_eq!(breakers.get(&2).snapshot().name, Some("tenants"));
    let fallen_back = breakers.get(&64);
    assert_eq!(fallen_back.policy(), EACH.probes(7).build().policy());
    assert!(Arc::ptr_eq(&fallen_back, &breakers.get(&64)));
    assert_eq!(breakers.overflow().policy().probes, 1);
    let expected = [(64, "probes must be 1 to 63, got 64".to_owned())];
    assert_eq!(*reported.lock().unwrap(), expected);
}

#[test]
fn a_policy_of_the_overflow_breaker_or_a_template_out_of_bounds_is_refused_when_the_set_is_built() {
    let set = |each, overflow| {
        Breakers::<u32>::builder()
            .each(each)
            .each_policy(
                move |tenant| Policy::new().probes(tenant.map_or(overflow, |_| 1)),
                |_, _| {},
            )
            .try_build()
            .map(drop)
            .map_err(|error| error.to_string())
    };
    let refused = |got| Err(format!("probes must be 1 to 63, got {got}"));
    assert_eq!(set(EACH, 1), Ok(()));
    assert_eq!(set(EACH, 64), refused(64));
    assert_eq!(set(EACH.probes(65), 1), refused(65));
    assert_eq!(set(EACH.probes(65), 64), refused(65));
}

#[test]
fn a_breaker_that_can_not_be_built_takes_no_slot() {
    let breakers = Breakers::<u32>::builder()
        .bound(2)
        .each_by(|key| match key {
            Some(13) => panic!("no breaker for 13"),
            _ => Breaker::new(),
        })
        .build();
    breakers.get(&1);
    for _ in 0..10 {
        catch_unwind(|| breakers.get(&13)).unwrap_err();
    }
    breakers.get(&2);
    assert_eq!(keys(&breakers), [1, 2]);
    catch_unwind(|| breakers.get(&13)).unwrap_err();
    assert_eq!(keys(&breakers), [1, 2], "no entry was evicted");
    breakers.get(&3);
    assert!(breakers.find(&3).is_some());
    assert_eq!(breakers.len(), 2);
}

/// A key that counts how often a key was hashed.
#[derive(Clone, PartialEq, Eq)]
struct HashedKey(u32);

thread_local!(static HASHED: Cell<u32> = const { Cell::new(0) });

impl Hash for HashedKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        HASHED.set(HASHED.get() + 1);
        self.0.hash(state);
    }
}

#[test]
fn a_key_is_hashed_once_for_each_lookup_and_never_by_growth_or_eviction() {
    let breakers = Breakers::<HashedKey>::builder().bound(1_000).build();
    for key in 0..2_000 {
        breakers.get(&HashedKey(key));
    }
    assert_eq!(HASHED.get(), 2_000);
    breakers.retain(|_, _| false);
    assert_eq!(HASHED.get(), 2_000);
}

/// A key whose own code uses the set that it is in.
struct ReentrantKey(u32);

static REENTRANT: std::sync::LazyLock<Breakers<ReentrantKey>> =
    std::sync::LazyLock::new(|| Breakers::builder().bound(4).build());

thread_local!(static DEPTH: Cell<u32> = const { Cell::new(0) });

/// Uses the set, unless this function is already running.
fn use_set(key: u32) {
    if DEPTH.get() == 0 {
        DEPTH.set(1);
        REENTRANT.get(&ReentrantKey(1_000 + key % 7));
        REENTRANT.remove(&ReentrantKey(1_000 + key % 5));
        DEPTH.set(0);
    }
}

impl Hash for ReentrantKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        use_set(self.0);
        self.0.hash(state);
    }
}

impl PartialEq for ReentrantKey {
    fn eq(&self, other: &Self) -> bool {
        use_set(self.0);
        self.0 == other.0
    }
}

impl Eq for ReentrantKey {}

impl Clone for ReentrantKey {
    fn clone(&self) -> Self {
        use_set(self.0);
        Self(self.0)
    }
}

impl Drop for ReentrantKey {
    fn drop(&mut self) {
        use_set(self.0);
    }
}

#[test]
fn a_key_may_use_the_set_in_its_own_code() {
    for key in 0..1_000 {
        REENTRANT.get(&ReentrantKey(key));
        REENTRANT.for_each(|_, _| {
            REENTRANT.get(&ReentrantKey(key + 1));
        });
        REENTRANT.retain(|other, _| other.0 != key);
        assert!(REENTRANT.len() <= 4);
    }
}

#[test]
fn threads_that_get_a_new_key_at_once_share_its_breaker() {
    const THREADS: usize = 4;
    const KEYS: u32 = 500;

    let made = Arc::new(AtomicUsize::new(0));
    let breakers = Breakers::<u32>::builder()
        .bound(KEYS + 100)
        .each_by({
            let made = made.clone();
            move |_| {
                made.fetch_add(1, Ordering::Relaxed);
                thread::yield_now(); // Invites another thread to make one too.
                Breaker::new()
            }
        })
        .build();
    let start = Barrier::new(THREADS);
    let got: Vec<Vec<Arc<Breaker>>> = thread::scope(|scope| {
        let ask = || {
            let mut got = Vec::new();
            for key in 0..KEYS {
                start.wait();
                got.push(breakers.get(&key));
            }
            got
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(ask)).collect();
        threads
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    });
    for others in &got[1..] {
        for (one, other) in got[0].iter().zip(others) {
            assert!(Arc::ptr_eq(one, other));
        }
    }
    assert_eq!(breakers.len(), KEYS as usize);
    assert!(
        made.load(Ordering::Relaxed) > KEYS as usize + 1,
        "the threads never collided"
    );
    // The threads that lost the race released their slots.
    for key in KEYS..KEYS + 100 {
        breakers.get(&key);
    }
    assert_eq!(breakers.len(), KEYS as usize + 100);
}

#[test]
fn at_the_bound_threads_that_get_a_new_key_at_once_share_its_breaker() {
    const THREADS: usize = 3;
    const KEYS: u32 = 3_000;

    for bound in [1, 2, 3] {
        let made = Arc::new(AtomicUsize::new(0));
        let breakers = Breakers::<u32>::builder()
            .bound(bound)
            .each_by({
                let made = made.clone();
                move |key| {
                    made.fetch_add(1, Ordering::Relaxed);
                    if key.is_some_and(|key| key % 2 == 0) {
                        thread::yield_now(); // Invites another thread to make one too.
                    }
                    Breaker::new()
                }
            })
            .build();
        let start = Barrier::new(THREADS);
        let ask = || {
            let ask = |key| {
                start.wait();
                breakers.get(&key)
            };
            (0..KEYS).map(ask).collect::<Vec<_>>()
        };
        let got: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(ask)).collect();
            let joined = threads.into_iter().map(|asked| asked.join().unwrap());
            joined.collect()
        });
        let differ = (0..KEYS as usize)
            .filter(|key| (1..THREADS).any(|i| !Arc::ptr_eq(&got[0][*key], &got[i][*key])))
            .count();
        assert_eq!(differ, 0, "of {KEYS} at bound {bound}");
        assert!(
            made.load(Ordering::Relaxed) > KEYS as usize + 1,
            "the threads never collided"
        );
        assert!(breakers.len() <= bound as usize);
    }
}

#[test]
fn a_get_while_the_breaker_of_its_key_is_being_built_returns_the_same_one() {
    static SET: std::sync::LazyLock<Breakers<u32>> = std::sync::LazyLock::new(|| {
        Breakers::builder()
            .bound(1)
            .each_by(|key| {
                if key == Some(&1) && DEPTH.get() == 0 {
                    let other = thread::spawn(|| {
                        DEPTH.set(1);
                        SET.get(&1)
                    });
                    *OTHER.lock().unwrap() = Some(other.join().unwrap());
                }
                Breaker::new()
            })
            .build()
    });
    static OTHER: Mutex<Option<Arc<Breaker>>> = Mutex::new(None);

    for _ in 0..3 {
        SET.get(&0);
        let one = SET.get(&1);
        let other = OTHER.lock().unwrap().take().unwrap();
        assert!(Arc::ptr_eq(&one, &other));
        assert!(!Arc::ptr_eq(&one, &SET.overflow()));
        assert!(Arc::ptr_eq(&one, &SET.get(&1)));
        assert_eq!(keys(&SET), [1]);
    }
}

/// A clock that runs a hook before its next reading.
#[derive(Default)]
struct OneShotClock(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl cutout::clock::Clock for OneShotClock {
    fn now(&self) -> u64 {
        let hook = self.0.lock().unwrap().take();
        if let Some(hook) = hook {
            hook();
        }
        0
    }
}

/// A set of one slot, which holds the key 0 with one counted failure. To compare it, a new key
/// reads the clock.
fn hooked() -> (Arc<Breakers<u32>>, Arc<OneShotClock>) {
    let clock = Arc::new(OneShotClock::default());
    let each = Breaker::builder().trip(Trip::failures(3).within(SECOND));
    let builder = Breakers::builder().each(each).bound(1);
    let breakers = builder.shared_clock(clock.clone()).build();
    let _ = breakers.get(&0).call(|| Err::<(), _>(()));
    (Arc::new(breakers), clock)
}

#[test]
fn a_get_that_finds_no_slot_looks_up_its_key_again() {
    let (breakers, clock) = hooked();
    let other = Arc::new(Mutex::new(None));
    let come = {
        let (breakers, other) = (breakers.clone(), other.clone());
        move || *other.lock().unwrap() = Some(breakers.get(&1))
    };
    *clock.0.lock().unwrap() = Some(Box::new(come));
    let one = breakers.get(&1);
    let other = other.lock().unwrap().take().unwrap();
    assert!(Arc::ptr_eq(&one, &other));
    assert!(!Arc::ptr_eq(&one, &breakers.overflow()));
    assert_eq!(keys(&breakers), [1]);
}

#[test]
fn a_slot_that_is_released_while_entries_are_compared_is_taken() {
    let (breakers, clock) = hooked();
    let leave = {
        let breakers = breakers.clone();
        move || drop(breakers.remove(&0))
    };
    *clock.0.lock().unwrap() = Some(Box::new(leave));
    breakers.get(&1);
    assert_eq!(keys(&breakers), [1]);
}

#[test]
fn an_entry_that_opens_while_it_is_compared_keeps_its_slot() {
    let (breakers, clock) = hooked();
    let open = {
        let breaker = breakers.get(&0);
        move || {
            breaker.force_open_for(SECOND);
        }
    };
    *clock.0.lock().unwrap() = Some(Box::new(open));
    assert!(Arc::ptr_eq(&breakers.get(&1), &breakers.overflow()));
    assert_eq!(keys(&breakers), [0]);
    assert_eq!(breakers.get(&0).state(), State::Open);
}

/// A key that is not equal to itself, like a NaN.
#[derive(Clone, Copy)]
struct NeverEqual(u32);

impl Hash for NeverEqual {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl PartialEq for NeverEqual {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

impl Eq for NeverEqual {}

/// A key whose hash changes each time.
#[derive(Clone, Copy, PartialEq, Eq)]
struct UnstableHash(u32);

impl Hash for UnstableHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed).hash(state);
    }
}

/// A key whose hash is the same for all keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ConstantHash(u32);

impl Hash for ConstantHash {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// The largest size of a set of `bound` while threads ask it for keys, and its size at the end.
fn most<K: Hash + Eq + Clone + Send + Sync + 'static>(bound: u32, key: fn(u32) -> K) -> usize {
    const THREADS: u32 = 4;

    let breakers = Breakers::<K>::builder().bound(bound).build();
    let count = || {
        let mut entries = 0;
        breakers.for_each(|_, _| entries += 1);
        entries
    };
    for i in 0..1_000 {
        breakers.get(&key(i));
        assert!(count() <= bound as usize, "one thread");
    }
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let breakers = &breakers;
            scope.spawn(move || {
                for i in 0..2_000 {
                    breakers.get(&key(i / 4 % 40));
                    match (i + thread) % 7 {
                        0 => drop(breakers.remove(&key(i % 40))),
                        1 if i % 50 == 0 => breakers.retain(|_, _| false),
                        _ => {}
                    }
                }
            });
        }
    });
    let left = count();
    breakers.retain(|_, _| false);
    assert_eq!(count(), 0, "each entry can be removed");
    for i in 0..bound {
        breakers.get(&key(i));
    }
    assert_eq!(count(), bound as usize, "no slot was lost");
    left
}

#[test]
fn a_key_that_is_not_equal_to_itself_breaks_no_bound() {
    assert!(most(4, NeverEqual) <= 4);
}

#[test]
fn a_key_whose_hash_changes_breaks_no_bound() {
    assert!(most(4, UnstableHash) <= 4);
}

#[test]
fn keys_of_one_hash_break_no_bound() {
    assert!(most(4, ConstantHash) <= 4);
    let breakers = Breakers::<ConstantHash>::builder().bound(3).build();
    for key in 0..20 {
        breakers.get(&ConstantHash(key));
        let oldest = key.saturating_sub(2);
        assert_eq!(
            keys(&breakers),
            (oldest..=key).map(ConstantHash).collect::<Vec<_>>()
        );
    }
}

/// A key whose hash is the same for all keys, and whose comparison panics on demand.
#[derive(Clone, Debug, PartialOrd, Ord)]
struct PanickingEq(u32);

thread_local!(static FUSE: Cell<Option<u32>> = const { Cell::new(None) });

impl Hash for PanickingEq {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl PartialEq for PanickingEq {
    fn eq(&self, other: &Self) -> bool {
        if let Some(left) = FUSE.get() {
            assert_ne!(left, 0, "the fuse");
            FUSE.set(Some(left - 1));
        }
        self.0 == other.0
    }
}

impl Eq for PanickingEq {}

#[test]
fn a_panic_of_a_comparison_frees_no_slot_whose_entry_stays() {
    for fuse in 0..20 {
        let breakers = Breakers::<PanickingEq>::builder().bound(3).build();
        for key in 0..3 {
            breakers.get(&PanickingEq(key));
        }
        FUSE.set(Some(fuse));
        let got = catch_unwind(|| breakers.get(&PanickingEq(10)));
        FUSE.set(None);
        if got.is_err() {
            assert!(fuse < 19, "no get compares that often");
        }
        for key in 20..30 {
            breakers.get(&PanickingEq(key));
            assert!(keys(&breakers).len() <= 3, "at fuse {fuse}");
        }
        assert_eq!(breakers.len(), 3, "at fuse {fuse}");
    }
}

#[test]
fn a_panic_before_the_eviction_frees_no_slot_whose_entry_stays() {
    let breakers = Breakers::<u32>::builder().bound(2).each_by(|key| {
        assert_ne!(key, Some(&13));
        Breaker::new()
    });
    let breakers = breakers.build();
    for key in 0..2 {
        breakers.get(&key);
    }
    for key in 100..110 {
        catch_unwind(|| breakers.get(&13)).unwrap_err();
        assert_eq!(breakers.len(), 2);
        breakers.get(&key);
        assert!(breakers.len() <= 2, "{:?}", keys(&breakers));
    }
}

#[test]
fn an_entry_removed_by_retain_and_by_another_thread_releases_its_slot_once() {
    let (breakers, _) = bounded(3);
    for key in 0..3 {
        breakers.get(&key);
    }
    breakers.retain(|key, _| {
        breakers.remove(key);
        breakers.get(&(key + 10)); // Takes the slot that was just released.
        false
    });
    for new_key in 100..110 {
        breakers.get(&new_key);
        assert!(breakers.len() <= 3, "{:?}", keys(&breakers));
    }
    breakers.retain(|key, _| {
        breakers.remove(key);
        false
    });
    for new_key in 200..210 {
        breakers.get(&new_key);
        assert!(breakers.len() <= 3, "{:?}", keys(&breakers));
    }
    assert_eq!(breakers.len(), 3);
}

#[test]
fn concurrent_operations_neither_lose_nor_create_slots() {
    const BOUND: u32 = 8;

    for round in 0..10 {
        let (breakers, _) = bounded(BOUND);
        trip(&breakers.get(&0));
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for thread in 0..4 {
                let (breakers, start) = (&breakers, &start);
                scope.spawn(move || {
                    start.wait();
                    for i in 0..2_000_u32 {
                        let key = 1 + i.wrapping_mul(2_654_435_761) % 23;
                        match (i + thread) % 5 {
                            0 => drop(breakers.remove(&key)),
                            1 if i % 50 == 0 => breakers.retain(|key, _| key % 3 == 0),
                            _ => drop(breakers.get(&key)),
                        }
                    }
                });
            }
        });
        let left = keys(&breakers);
        assert!(left.len() <= BOUND as usize, "{left:?}");
        assert_eq!(left[0], 0, "it is open");

        // The set still has all its slots: each new key finds one, free ones first.
        for new_key in 100..100 + BOUND {
            breakers.get(&new_key);
            assert!(breakers.len() <= BOUND as usize);
        }
        assert_eq!(breakers.len(), BOUND as usize, "round {round}");
        assert_eq!(breakers.find(&0).unwrap().state(), State::Open);
    }
}

#[test]
fn a_breaker_that_is_open_stays_while_threads_flood_the_set() {
    const BOUND: u32 = 32;

    let (breakers, clock) = bounded(BOUND);
    let come: [AtomicUsize; 2] = Default::default();
    let done = AtomicBool::new(false);
    // Waits until each flooding thread has inserted this many keys from start to end.
    let flood = |many: usize| {
        for (come, before) in come
            .iter()
            .zip(come.each_ref().map(|c| c.load(Ordering::SeqCst)))
        {
            while come.load(Ordering::SeqCst) < before + many + 1 {
                thread::yield_now();
            }
        }
    };
    let stayed = thread::scope(|scope| {
        for (come, first) in come.iter().zip([1_000_000_u32, 2_000_000]) {
            let (breakers, done) = (&breakers, &done);
            scope.spawn(move || {
                for new_key in first.. {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    breakers.get(&new_key);
                    come.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let _done = Done(&done);
        (0..60)
            .filter(|key| {
                let breaker = breakers.get(key);
                trip(&breaker);
                // A thread that chose it while it was closed has evicted it by now.
                flood(1);
                let stays = breakers.find(key).is_some();
                flood(2 * BOUND as usize);
                let still = breakers.find(key);
                assert_eq!(
                    stays,
                    still.is_some_and(|still| Arc::ptr_eq(&still, &breaker))
                );
                clock.advance(SECOND);
                breaker.call(|| Ok::<_, ()>(())).unwrap();
                stays
            })
            .count()
    });
    assert!(
        stayed > 30,
        "{stayed} of 60 were not evicted before they tripped"
    );
}

/// Ends the flood on drop, also after a panic.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_panic_in_debug_or_a_predicate_leaves_the_set_intact() {
    let (breakers, _) = bounded(4);
    for key in 0..4 {
        breakers.get(&key);
    }
    let asked =
        AssertUnwindSafe(|| breakers.retain(|key, _| if *key == 2 { panic!() } else { false }));
    catch_unwind(asked).unwrap_err();
    assert!(breakers.find(&2).is_some());
    let free = 4 - breakers.len();
    for new_key in 10..10 + u32::try_from(free).unwrap() {
        breakers.get(&new_key);
    }
    assert_eq!(breakers.len(), 4);
    assert!(breakers.find(&2).is_some(), "no entry was evicted");
}

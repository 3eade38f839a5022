//! Deadlines, leases and durations, to the nanosecond and at the ends of the clock's range.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use cutout::{
    Breaker, OnDrop, Outcome, Reason, Recorded, State, Transition,
    clock::{Clock, Manual},
};

use super::{DAY, FIRST, MS, SECOND, breaker, fail, succeed};

/// Positions of a reading within the ticks of 250 µs and of 4 ms.
const STARTS: [u64; 7] = [0, 1, 249_999, 250_000, 3_999_999, 4_000_000, 7_777_777_777];
const NANOSECOND: Duration = Duration::from_nanos(1);
const TICK: Duration = Duration::from_micros(250);

#[test]
fn an_open_period_is_never_shorter_than_its_interval() {
    for start in STARTS {
        let (breaker, clock) = breaker(FIRST.open_for(10 * MS), start);
        fail(&breaker);
        clock.advance(10 * MS - NANOSECOND);
        assert_eq!(
            breaker.state(),
            State::Open,
            "one nanosecond less, from {start}"
        );
        let remaining = breaker.peek().unwrap_err().retry_after().unwrap();
        assert!(
            NANOSECOND <= remaining && remaining <= TICK,
            "{remaining:?}"
        );
        clock.advance(TICK);
        assert_eq!(
            breaker.state(),
            State::HalfOpen,
            "and less than a tick late"
        );
    }
}

#[test]
fn a_caller_that_waits_for_retry_after_is_admitted() {
    for start in STARTS {
        for waited in [0, 1, 249_999, 250_001, 9_999_999] {
            let (breaker, clock) = breaker(FIRST.open_for(10 * MS), start);
            fail(&breaker);
            clock.advance(Duration::from_nanos(waited));
            clock.advance(breaker.peek().unwrap_err().retry_after().unwrap());
            assert!(succeed(&breaker), "from {start} after {waited}");
        }
    }
}

#[test]
fn a_length_that_an_operator_gave_is_never_shorter_either() {
    for start in STARTS {
        let (breaker, clock) = breaker(FIRST, start);
        breaker.force_open_for(10 * MS);
        clock.advance(10 * MS - NANOSECOND);
        assert_eq!(breaker.state(), State::Open, "from {start}");
        clock.advance(TICK);
        assert_eq!(breaker.state(), State::HalfOpen, "from {start}");
    }
}

#[test]
fn the_next_call_after_resume_is_the_probe_at_once() {
    for start in STARTS {
        let (breaker, _clock) = breaker(FIRST, start);
        breaker.force_open();
        breaker.resume();
        assert!(breaker.try_acquire().unwrap().is_probe(), "from {start}");
    }
}

#[test]
fn a_lease_is_never_shorter_than_it_was_set() {
    for start in STARTS {
        for lease in [10, 11, 12, 13] {
            let (breaker, clock) = breaker(FIRST.probe_lease(lease * MS), start);
            breaker.force_open();
            breaker.resume();
            let probe = breaker.try_acquire().unwrap();
            clock.advance(lease * MS - NANOSECOND);
            let busy = breaker.try_acquire().unwrap_err();
            assert_eq!(busy.reason(), Reason::ProbesBusy, "{lease} ms from {start}");
            clock.advance(4 * MS);
            let over = breaker.try_acquire().unwrap_err();
            assert_eq!(over.reason(), Reason::Open, "{lease} ms from {start}");
            assert_eq!(probe.record(Outcome::Success), Recorded::Stale);
        }
    }
}

#[test]
fn a_probe_that_takes_a_nanosecond_less_than_its_lease_recovers_the_breaker() {
    for start in STARTS {
        let (breaker, clock) = breaker(FIRST.probe_lease(12 * MS), start);
        breaker.force_open();
        breaker.resume();
        let probe = breaker.try_acquire().unwrap();
        clock.advance(12 * MS - NANOSECOND);
        assert!(!succeed(&breaker), "another caller asks, from {start}");
        assert_eq!(probe.record(Outcome::Success), Recorded::Recovered);
    }
}

#[test]
fn a_caller_that_waits_for_retry_after_while_probes_are_busy_gets_a_verdict_in_time() {
    for (open_for, lease) in [(SECOND, 12 * MS), (10 * MS, SECOND), (20 * MS, 20 * MS)] {
        let (breaker, clock) = breaker(FIRST.open_for(open_for).probe_lease(lease), 1);
        breaker.force_open();
        breaker.resume();
        let _probe = breaker.try_acquire().unwrap();
        let busy = breaker.try_acquire().unwrap_err();
        assert_eq!(busy.reason(), Reason::ProbesBusy);
        let wait = busy.retry_after().expect("`retry_after` is an upper bound");
        assert!(Duration::ZERO < wait && wait <= open_for, "{wait:?}");
        assert!(wait <= lease + 4 * MS, "{wait:?}");
        assert!(busy.retry_after_secs() >= Some(1));
        // A caller that waits for each `retry_after` asks a bounded number of times.
        let mut asked = 0;
        while let Err(rejected) = breaker.peek() {
            if rejected.reason() == Reason::Open {
                break;
            }
            clock.advance(rejected.retry_after().unwrap());
            asked += 1;
            assert!(asked <= 200);
        }
    }
}

#[test]
fn a_transition_stamped_later_than_the_reader_s_clock_was_just_now() {
    for back in [NANOSECOND, MS, SECOND, DAY] {
        let (breaker, clock) = breaker(FIRST, 100 * 86_400 * 1_000_000_000);
        fail(&breaker);
        clock.step_back(back);
        assert_eq!(breaker.snapshot().since, Some(Duration::ZERO), "{back:?}");
    }
}

#[test]
fn a_time_since_the_last_transition_does_not_wrap_after_years() {
    let (breaker, clock) = breaker(FIRST, 7);
    fail(&breaker);
    let years = 20 * 365 * DAY;
    clock.advance(years);
    let since = breaker.snapshot().since.unwrap();
    assert!(years <= since + TICK && since <= years, "{since:?}");
}

/// Beyond the range of lease ends, 12.4 days, the lease counts once more, for at most its length.
#[test]
fn a_lease_that_is_long_over_holds_a_breaker_once_more_at_most() {
    let wrap = 4 * MS * (1 << 28);
    let (breaker, clock) = breaker(FIRST.probe_lease(SECOND), 0);
    breaker.force_open();
    breaker.resume();
    std::mem::forget(breaker.try_acquire().unwrap());
    clock.advance(wrap);
    let again = breaker.try_acquire().unwrap_err();
    assert_eq!(again.reason(), Reason::ProbesBusy, "listed in the limits");
    clock.advance(SECOND);
    let over = breaker.try_acquire().unwrap_err();
    assert_eq!(over.reason(), Reason::Open);
}

#[test]
fn a_call_that_spans_the_end_of_the_clock_s_range_has_its_length() {
    let policy = FIRST.slow_call(20 * MS);
    for (takes, expected) in [(19 * MS, Recorded::Applied), (20 * MS, Recorded::Tripped)] {
        let (breaker, clock) = breaker(policy, u64::MAX - 9_999_999);
        let permit = breaker.try_acquire().unwrap();
        clock.advance(takes);
        assert_eq!(permit.record(Outcome::Success), expected, "{takes:?}");
    }
}

#[test]
fn a_drop_that_spans_the_end_of_the_clock_s_range_has_its_length() {
    let policy = FIRST.on_drop(OnDrop::FailureAfter(20 * MS));
    for (held, state) in [(19 * MS, State::Closed), (20 * MS, State::Open)] {
        let (breaker, clock) = breaker(policy, u64::MAX - 9_999_999);
        let permit = breaker.try_acquire().unwrap();
        clock.advance(held);
        drop(permit);
        assert_eq!(breaker.snapshot().stored_state, state, "{held:?}");
    }
}

/// A deadline at the end of the clock's range: the wrap acts like a leap, and costs at most one
/// interval.
#[test]
fn an_open_period_that_spans_the_end_of_the_clock_s_range_lasts_an_interval_more_at_most() {
    for before in [0, 1, 5_000_000, 9_999_999, 10_000_000] {
        let (breaker, clock) = breaker(FIRST.open_for(10 * MS), u64::MAX - before);
        fail(&breaker);
        clock.advance(10 * MS);
        clock.advance(10 * MS + SECOND);
        assert!(succeed(&breaker), "{before} ns before the wrap");
        fail(&breaker);
        clock.advance(10 * MS + TICK);
        assert!(succeed(&breaker), "and the breaker is as before");
    }
}

/// A clock that panics on demand.
struct ArmedClock {
    time: Manual,
    armed: AtomicBool,
}

impl Clock for ArmedClock {
    fn now(&self) -> u64 {
        assert!(!self.armed.load(Ordering::Relaxed), "the clock panics");
        self.time.now()
    }
}

/// Otherwise listeners and watchers would miss the transition.
#[test]
fn a_clock_that_panics_leaves_no_transition_unannounced() {
    let clock = Arc::new(ArmedClock {
        time: Manual::new(),
        armed: AtomicBool::new(false),
    });
    let log = Arc::new(Mutex::new(Vec::new()));
    for (policy, outcome) in [
        (FIRST, Outcome::Failure),
        (
            FIRST.trip(cutout::Trip::percent(1).within(SECOND)),
            Outcome::Success,
        ),
        (FIRST, Outcome::Success),
        (FIRST.slow_call(SECOND), Outcome::Success),
    ] {
        let breaker = Breaker::builder()
            .policy(policy)
            .build()
            .with_shared_clock(clock.clone())
            .with_shared_listener({
                let log = log.clone();
                Arc::new(move |transition: &Transition| log.lock().unwrap().push(*transition))
            });
        breaker.force_open();
        breaker.resume();
        let probe = breaker.try_acquire().unwrap();
        log.lock().unwrap().clear();
        clock.armed.store(true, Ordering::Relaxed);
        let thrown = catch_unwind(AssertUnwindSafe(|| probe.record(outcome)));
        clock.armed.store(false, Ordering::Relaxed);
        let generation = breaker.snapshot().generation;
        let announced = log.lock().unwrap().last().map(|last| last.generation);
        assert!(thrown.is_err(), "{outcome:?}");
        assert_eq!(announced.unwrap_or(3), generation, "{outcome:?}");
    }
}

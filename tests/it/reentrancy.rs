//! I18: user code may use the breaker that runs it: a call, a classifier, a destructor, a clock, a
//! listener.
//!
//! If the decision of the CAS loop ran user code, a test here would decide on an outdated word. A
//! test would hang if a thread that holds a lock ran it.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Waker},
};

use cutout::{
    Admitted, Breaker, CallListener, Ended, Error, Listener, Outcome, Policy, Reason, Recorded,
    Rejected, State, Transition, Trip,
    clock::{Clock, Manual},
};

use crate::support::SECOND;

const POLICY: Policy = Policy::new().trip(Trip::consecutive(2)).open_for(SECOND);

#[expect(clippy::unnecessary_wraps, reason = "represents a call that can fail")]
fn up() -> Result<u32, Infallible> {
    Ok(7)
}

fn down() -> Result<u32, &'static str> {
    Err("down")
}

/// Reads a breaker through every accessor.
fn use_accessors(breaker: &Breaker) {
    let _ = (breaker.state(), breaker.snapshot(), breaker.peek());
    let _ = format!("{breaker:?}, {:?}", breaker.policy());
}

/// A clock that modifies its breaker right after its next reading, as other threads may while the
/// reading thread is delayed.
#[derive(Default)]
struct HookedClock {
    time: Manual,
    reads: AtomicU32,
    hook: Mutex<Option<Hook>>,
}

type Hook = Box<dyn FnOnce(&Breaker) + Send>;

/// A breaker whose clock modifies it.
struct HookedBreaker {
    breaker: Arc<OnceLock<Breaker>>,
    clock: Arc<HookedClock>,
}

struct SharedHookedClock(Arc<OnceLock<Breaker>>, Arc<HookedClock>);

impl Clock for SharedHookedClock {
    fn now(&self) -> u64 {
        let Self(breaker, clock) = self;
        clock.reads.fetch_add(1, Ordering::Relaxed);
        let reading = clock.time.now();
        let hook = clock.hook.lock().unwrap().take();
        if let Some(hook) = hook {
            hook(breaker.get().unwrap());
        }
        reading
    }
}

impl HookedBreaker {
    fn new(policy: Policy) -> Self {
        let breaker = Arc::new(OnceLock::new());
        let clock = Arc::new(HookedClock::default());
        let shared = Arc::new(SharedHookedClock(Arc::clone(&breaker), Arc::clone(&clock)));
        let built = Breaker::builder().policy(policy).build();
        breaker.set(built.with_shared_clock(shared)).unwrap();
        Self { breaker, clock }
    }

    fn past_the_deadline(policy: Policy) -> Self {
        let meddled = Self::new(policy);
        meddled.breaker().force_open_for(SECOND);
        meddled.clock.time.advance(SECOND);
        meddled
    }

    fn breaker(&self) -> &Breaker {
        self.breaker.get().unwrap()
    }

    /// Sets the action of the next reading of the clock.
    fn on_next_read(&self, hook: impl FnOnce(&Breaker) + Send + 'static) {
        *self.clock.hook.lock().unwrap() = Some(Box::new(hook));
    }

    /// Counts how often `act` reads the clock, while another call fails at its first reading.
    fn reads(&self, act: impl FnOnce(&Breaker)) -> u32 {
        let clock = Arc::clone(&self.clock);
        let before = clock.reads.load(Ordering::Relaxed);
        self.on_next_read(move |breaker| {
            let reads = clock.reads.load(Ordering::Relaxed);
            breaker.try_acquire().unwrap().failure();
            clock.reads.store(reads, Ordering::Relaxed);
        });
        act(self.breaker());
        self.assert_was_read();
        self.clock.reads.load(Ordering::Relaxed) - before
    }

    fn assert_was_read(&self) {
        assert!(
            self.clock.hook.lock().unwrap().is_none(),
            "an action has not run"
        );
    }
}

#[test]
fn a_call_makes_a_call() {
    let breaker = Breaker::builder()
        .trip(Trip::failures(9).of_last(9))
        .build();
    let answer = breaker.call(|| {
        use_accessors(&breaker);
        breaker.call(down).or_else(|_| breaker.call(up))
    });
    assert_eq!(answer.unwrap(), 7);
    assert_eq!(breaker.snapshot().calls, Some(3));
    assert_eq!(breaker.snapshot().failures, Some(1));
}

#[test]
fn a_probe_that_calls_passes_as_a_part_of_itself() {
    let bench = HookedBreaker::past_the_deadline(POLICY);
    let answer = bench.breaker().call(|| {
        assert_eq!(bench.breaker().snapshot().probes_in_flight, 1);
        bench
            .breaker()
            .call(up)
            .map_err(|nested| nested.into_inner().unwrap())
    });
    assert_eq!(answer, Ok(7));
    assert_eq!(bench.breaker().state(), State::Closed);
}

#[test]
fn a_call_that_moves_the_breaker_is_stale_when_it_ends() {
    let breaker = Breaker::builder().policy(POLICY).build();
    let answer = breaker.call(|| {
        breaker.force_open();
        use_accessors(&breaker);
        down()
    });
    assert_eq!(answer, Err(Error::Inner("down")));
    assert_eq!(breaker.state(), State::ForcedOpen);

    breaker.reset();
    let answer = breaker.call(|| {
        breaker.call(down).unwrap_err();
        breaker.call(down).unwrap_err();
        assert_eq!(breaker.state(), State::Open);
        up()
    });
    assert_eq!(answer, Ok(7));
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_classifier_moves_the_breaker() {
    let breaker = Breaker::builder().policy(POLICY).build();
    let answer = breaker.call_with(up, |_| {
        use_accessors(&breaker);
        breaker.force_open();
        Outcome::Failure
    });
    assert_eq!(answer, Ok(7));
    assert_eq!(breaker.state(), State::ForcedOpen);
    assert_eq!(breaker.resume(), State::ForcedOpen);
}

#[test]
fn a_future_moves_the_breaker_while_it_is_polled_and_while_it_is_dropped() {
    struct Resets<'a>(&'a Breaker);

    impl Drop for Resets<'_> {
        fn drop(&mut self) {
            use_accessors(self.0);
            self.0.reset();
        }
    }

    let breaker = Breaker::builder().policy(POLICY).build();
    let mut call = Box::pin(breaker.call_async(async {
        let _resets = Resets(&breaker);
        breaker.force_open();
        std::future::pending::<Result<(), ()>>().await
    }));
    let mut context = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut context).is_pending());
    assert_eq!(breaker.state(), State::ForcedOpen);
    drop(call);
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.snapshot().generation, 2);
}

#[test]
fn a_clock_that_moves_the_breaker_makes_a_failure_stale() {
    let bench = HookedBreaker::new(POLICY);
    bench.breaker().try_acquire().unwrap().failure();
    let permit = bench.breaker().try_acquire().unwrap();
    bench.on_next_read(|breaker| {
        use_accessors(breaker);
        breaker.force_open();
    });
    assert_eq!(permit.record(Outcome::Failure), Recorded::Stale);
    assert_eq!(bench.breaker().state(), State::ForcedOpen);
    bench.assert_was_read();
}

/// The failure would have tripped. It is decided again, by the reading that it has.
#[test]
fn a_success_while_a_failure_reads_the_clock_to_trip_prevents_the_trip() {
    let bench = HookedBreaker::new(POLICY);
    bench.breaker().try_acquire().unwrap().failure();
    let permit = bench.breaker().try_acquire().unwrap();
    let reads = bench.clock.reads.load(Ordering::Relaxed);
    bench.on_next_read(|breaker| breaker.try_acquire().unwrap().success());
    assert_eq!(permit.record(Outcome::Failure), Recorded::Applied);
    bench.assert_was_read();
    assert_eq!(bench.clock.reads.load(Ordering::Relaxed), reads + 1);
    assert_eq!(bench.breaker().snapshot().failures, Some(1));
}

#[test]
fn a_clock_that_takes_the_probe_slot_leaves_none_for_its_caller() {
    let bench = HookedBreaker::past_the_deadline(POLICY);
    bench.on_next_read(|breaker| std::mem::forget(breaker.try_acquire().unwrap()));
    let rejected = bench.breaker().try_acquire().unwrap_err();
    assert_eq!(rejected.reason(), Reason::ProbesBusy);
    assert_eq!(bench.breaker().snapshot().probes_in_flight, 1);
    bench.assert_was_read();
}

/// The operation is decided again, but only an admission uses a new reading.
#[test]
fn only_an_admission_reads_the_clock_again_after_a_failed_cas() {
    let policy = POLICY.trip(Trip::consecutive(9));
    let fails = |breaker: &Breaker| {
        let permit = breaker.try_acquire().unwrap();
        // The end of a hint needs the time.
        let outcome = Outcome::FailureFor(SECOND);
        assert_eq!(permit.record(outcome), Recorded::Applied);
    };
    let bench = HookedBreaker::new(policy);
    assert_eq!(bench.reads(fails), 1);
    assert_eq!(bench.breaker().snapshot().failures, Some(2));
    let forces = |breaker: &Breaker| assert_eq!(breaker.force_open(), State::Closed);
    assert_eq!(bench.reads(forces), 1);

    let bench = HookedBreaker::past_the_deadline(policy);
    let asks = |breaker: &Breaker| {
        let rejected = breaker.try_acquire().unwrap_err();
        assert_eq!(rejected.reason(), Reason::Open);
    };
    assert_eq!(bench.reads(asks), 2);
}

/// An old reading must not meet a newer word. Two hours before its deadline, a word that opens for
/// one second would not be ahead, and the call would be admitted.
#[test]
fn a_delayed_reading_is_not_compared_with_the_deadline_of_a_later_period() {
    let bench = HookedBreaker::past_the_deadline(POLICY);
    let clock = Arc::clone(&bench.clock);
    bench.on_next_read(move |breaker| {
        clock.time.advance(7_200 * SECOND);
        breaker.try_acquire().unwrap().failure();
    });
    let rejected = bench.breaker().try_acquire().unwrap_err();
    assert_eq!(rejected.reason(), Reason::Open);
    assert_eq!(rejected.retry_after(), Some(SECOND));
    assert_eq!(bench.breaker().snapshot().generation, 3);
    bench.assert_was_read();
}

/// An old reading must not expire a lease that has just begun.
#[test]
fn a_delayed_reading_expires_no_lease_of_a_later_probe() {
    let bench = HookedBreaker::past_the_deadline(POLICY.probes(2).probe_lease(SECOND));
    let first = bench.breaker().try_acquire().unwrap();
    let clock = Arc::clone(&bench.clock);
    bench.on_next_read(move |breaker| {
        clock.time.advance(7_200 * SECOND);
        std::mem::forget(breaker.try_acquire().unwrap());
    });
    let rejected = bench.breaker().try_acquire().unwrap_err();
    assert_eq!(rejected.reason(), Reason::ProbesBusy);
    assert_eq!(first.record(Outcome::Success), Recorded::Recovered);
    bench.assert_was_read();
}

#[test]
fn a_clock_that_closes_the_breaker_has_its_caller_admitted_to_the_new_period() {
    let bench = HookedBreaker::past_the_deadline(POLICY);
    bench.on_next_read(|breaker| {
        breaker.reset();
    });
    let permit = bench.breaker().try_acquire().unwrap();
    assert!(!permit.is_probe());
    assert_eq!(permit.generation(), 2);
    bench.assert_was_read();
}

#[test]
fn a_clock_that_forces_the_breaker_open_rejects_its_caller() {
    let bench = HookedBreaker::past_the_deadline(POLICY);
    bench.on_next_read(|breaker| {
        breaker.force_open();
    });
    let rejected = bench.breaker().try_acquire().unwrap_err();
    assert_eq!(rejected.reason(), Reason::ForcedOpen);
    bench.assert_was_read();
}

#[test]
fn an_operator_action_follows_one_made_by_its_clock() {
    let bench = HookedBreaker::new(POLICY);
    bench.on_next_read(|breaker| {
        breaker.disable();
    });
    assert_eq!(bench.breaker().force_open(), State::Disabled);
    assert_eq!(bench.breaker().state(), State::ForcedOpen);
    assert_eq!(bench.breaker().snapshot().generation, 2);
    bench.assert_was_read();
}

#[test]
fn the_clock_of_a_recovery_is_read_before_it() {
    let bench = HookedBreaker::past_the_deadline(POLICY);
    let permit = bench.breaker().try_acquire().unwrap();
    bench.on_next_read(|breaker| assert_eq!(breaker.state(), State::HalfOpen));
    assert_eq!(permit.record(Outcome::Success), Recorded::Recovered);
    bench.assert_was_read();
}

#[test]
fn a_snapshot_whose_clock_moves_the_breaker_is_of_one_moment() {
    let bench = HookedBreaker::new(POLICY);
    bench.breaker().force_open_for(SECOND);
    bench.on_next_read(|breaker| {
        breaker.disable();
    });
    let snapshot = bench.breaker().snapshot();
    assert_eq!(snapshot.state, State::Open);
    assert_eq!(snapshot.stored_state, State::Open);
    assert_eq!(snapshot.generation, 1);
    assert_eq!(snapshot.retry_after, Some(SECOND));
    bench.assert_was_read();
}

#[test]
fn a_listener_uses_its_breaker_in_every_way() {
    static NOTIFIED: Mutex<Vec<State>> = Mutex::new(Vec::new());
    static NOTIFYING: AtomicBool = AtomicBool::new(false);
    static DEPENDENCY: Breaker = Breaker::builder()
        .policy(POLICY)
        .listeners(&[&|transition: &Transition| {
            assert!(
                !NOTIFYING.swap(true, Ordering::Relaxed),
                "notified within a notification"
            );
            NOTIFIED.lock().unwrap().push(transition.to);
            use_accessors(&DEPENDENCY);
            let _ = DEPENDENCY.call(up);
            match transition.to {
                State::Open => drop(DEPENDENCY.force_open()),
                State::ForcedOpen => drop(DEPENDENCY.disable()),
                State::Disabled => drop(DEPENDENCY.resume()),
                _ => {}
            }
            NOTIFYING.store(false, Ordering::Relaxed);
        }])
        .build();

    DEPENDENCY.call(down).unwrap_err();
    DEPENDENCY.call(down).unwrap_err();
    assert_eq!(
        *NOTIFIED.lock().unwrap(),
        [
            State::Open,
            State::ForcedOpen,
            State::Disabled,
            State::Closed
        ]
    );
    assert_eq!(DEPENDENCY.state(), State::Closed);
}

/// A call listener that uses its breaker in every way except for its own calls.
#[derive(Default)]
struct ReentrantListener {
    inside: AtomicBool,
    outer: AtomicU32,
    last: Mutex<Option<Ended>>,
}

impl ReentrantListener {
    const fn new() -> Self {
        Self {
            inside: AtomicBool::new(false),
            outer: AtomicU32::new(0),
            last: Mutex::new(None),
        }
    }

    fn once(&self, act: impl FnOnce()) {
        if !self.inside.swap(true, Ordering::Relaxed) {
            act();
            self.outer.fetch_add(1, Ordering::Relaxed);
            self.inside.store(false, Ordering::Relaxed);
        }
    }
}

static LISTENER: ReentrantListener = ReentrantListener::new();
static BREAKER: Breaker = Breaker::builder()
    .policy(POLICY)
    .call_listener(&LISTENER)
    .build();

impl CallListener for ReentrantListener {
    fn on_admitted(&self, _: &Admitted) {
        self.once(|| {
            use_accessors(&BREAKER);
            BREAKER.call(up).unwrap();
            BREAKER.force_open();
        });
    }

    fn on_outcome(&self, ended: &Ended) {
        self.once(|| {
            use_accessors(&BREAKER);
            assert!(BREAKER.call(up).is_err());
            *self.last.lock().unwrap() = Some(*ended);
        });
    }

    fn on_rejected(&self, rejected: &Rejected) {
        self.once(|| {
            assert_eq!(rejected.reason(), Reason::ForcedOpen);
            BREAKER.reset();
            BREAKER.call(up).unwrap();
        });
    }
}

#[test]
fn a_call_listener_uses_its_breaker_in_every_way() {
    assert_eq!(BREAKER.call(up), Ok(7), "it was admitted before the force");
    let ended = LISTENER.last.lock().unwrap().take().unwrap();
    assert_eq!(ended.recorded, Recorded::Stale);
    assert_eq!(ended.call.generation, 0);
    let error = BREAKER.call(up).unwrap_err();
    assert!(
        error.rejected().is_some(),
        "it was rejected before the reset"
    );
    assert_eq!(BREAKER.state(), State::Closed);
    assert_eq!(LISTENER.outer.load(Ordering::Relaxed), 3);
}

/// Uses its breaker at each event, and is notified of what it does.
struct ReentrantEvents {
    breaker: OnceLock<Arc<Breaker>>,
    inside: AtomicBool,
    log: Mutex<Vec<String>>,
}

impl ReentrantEvents {
    /// Notes an event. Unless it is one of this listener's own, also acts on the breaker.
    fn note(&self, event: String, act: impl FnOnce(&Breaker)) {
        self.log.lock().unwrap().push(event);
        if !self.inside.swap(true, Ordering::Relaxed) {
            let breaker = self.breaker.get().unwrap();
            use_accessors(breaker);
            act(breaker);
            self.inside.store(false, Ordering::Relaxed);
        }
    }
}

impl Listener for ReentrantEvents {
    fn on_transition(&self, transition: &Transition) {
        let event = format!("{} to {}", transition.generation, transition.to);
        self.log.lock().unwrap().push(event);
    }

    fn on_rejected(&self, rejected: &Rejected) {
        let act = |breaker: &Breaker| {
            breaker.call(up).unwrap_err();
            breaker.reset();
        };
        self.note(format!("rejected {}", rejected.generation()), act);
    }

    fn on_failure(&self, ended: &Ended) {
        self.note(format!("{:?}", ended.recorded), |breaker| {
            breaker.force_open();
        });
    }

    fn on_stale(&self, ended: &Ended) {
        self.note(format!("{:?}", ended.recorded), |breaker| {
            breaker.call(up).unwrap();
        });
    }
}

#[test]
fn a_listener_uses_its_breaker_at_every_event_and_transitions_stay_in_order() {
    let events = Arc::new(ReentrantEvents {
        breaker: OnceLock::new(),
        inside: AtomicBool::new(false),
        log: Mutex::new(Vec::new()),
    });
    let policy = POLICY.trip(Trip::consecutive(1));
    let breaker = Breaker::builder().policy(policy).build();
    let breaker = Arc::new(breaker.with_shared_listener(events.clone()));
    events.breaker.set(breaker.clone()).unwrap();

    let late = breaker.try_acquire().unwrap();
    // The listener forces the breaker open before it is notified of the trip.
    breaker.call(|| Err::<(), _>(())).unwrap_err();
    breaker.call(up).unwrap_err();
    late.success();
    assert_eq!(
        *events.log.lock().unwrap(),
        [
            "Tripped",
            "1 to open",
            "2 to forced-open",
            "rejected 2",
            "rejected 2",
            "3 to closed",
            "Stale",
        ]
    );
}

//! Listeners are notified of every transition, whole and in order, or of how many they missed
//! (I19).

use std::{
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use cutout::{
    Admitted, Backoff, Breaker, CallListener, Cause, Ended, Listener, Outcome, Policy, Recorded,
    Rejected, State, Transition, Trip, clock::Manual,
};

use crate::support::SECOND;

const POLICY: Policy = Policy::new().trip(Trip::consecutive(1)).open_for(SECOND);

/// Records every transition that it is notified of.
#[derive(Debug, Default)]
struct TransitionLog(Mutex<Vec<Transition>>);

impl TransitionLog {
    fn transitions(&self) -> Vec<Transition> {
        self.0.lock().unwrap().clone()
    }

    /// The generations of the notified transitions, each with the number missed before it.
    fn generations(&self) -> Vec<(u16, u32)> {
        self.transitions()
            .iter()
            .map(|transition| (transition.generation, transition.missed))
            .collect()
    }
}

impl Listener for TransitionLog {
    fn on_transition(&self, transition: &Transition) {
        self.0.lock().unwrap().push(*transition);
    }
}

fn bench(policy: Policy) -> (Breaker, Arc<Manual>, Arc<TransitionLog>) {
    let clock = Arc::new(Manual::new());
    let log = Arc::new(TransitionLog::default());
    let breaker = Breaker::builder()
        .policy(policy)
        .name("bench")
        .build()
        .with_shared_clock(clock.clone())
        .with_shared_listener(log.clone());
    (breaker, clock, log)
}

fn fail(breaker: &Breaker) -> Recorded {
    breaker.try_acquire().unwrap().record(Outcome::Failure)
}

/// `(from, to, cause, generation, reopens, open_for in ms)`.
type Summary = (State, State, Cause, u16, u8, Option<u128>);

fn summary(transition: &Transition) -> Summary {
    (
        transition.from,
        transition.to,
        transition.cause,
        transition.generation,
        transition.reopens,
        transition.open_for.map(|time| time.as_millis()),
    )
}

#[test]
fn each_cause_has_its_fields() {
    use State::{Closed, HalfOpen, Open};

    let backoff = Backoff::exponential(SECOND, 2, 60 * SECOND);
    let trip = Trip::failures(2).of_last(4);
    let policy = POLICY.backoff(backoff).trip(trip);
    let (breaker, clock, log) = bench(policy);

    breaker.call(|| Ok::<_, ()>(())).unwrap();
    fail(&breaker);
    assert_eq!(log.transitions(), []);
    assert_eq!(fail(&breaker), Recorded::Tripped);
    clock.advance(SECOND);
    assert_eq!(fail(&breaker), Recorded::Reopened);
    clock.advance(2 * SECOND);
    std::mem::forget(breaker.try_acquire().unwrap());
    clock.advance(60 * SECOND);
    breaker.try_acquire().unwrap_err();
    clock.advance(4 * SECOND);
    let hint = Outcome::FailureFor(100 * SECOND);
    breaker.try_acquire().unwrap().record(hint);
    clock.advance(100 * SECOND);
    breaker.try_acquire().unwrap().success();

    let transitions = log.transitions();
    assert_eq!(
        transitions.iter().map(summary).collect::<Vec<_>>(),
        [
            (Closed, Open, Cause::Tripped, 1, 0, Some(1_000)),
            (Open, HalfOpen, Cause::ProbeAdmitted, 2, 0, None),
            (HalfOpen, Open, Cause::ProbeFailed, 3, 1, Some(2_000)),
            (Open, HalfOpen, Cause::ProbeAdmitted, 4, 1, None),
            (HalfOpen, Open, Cause::LeaseExpired, 5, 2, Some(4_000)),
            (Open, HalfOpen, Cause::ProbeAdmitted, 6, 2, None),
            (HalfOpen, Open, Cause::ProbeFailed, 7, 3, Some(100_000)),
            (Open, HalfOpen, Cause::ProbeAdmitted, 8, 3, None),
            (HalfOpen, Closed, Cause::Recovered, 9, 0, None),
        ]
    );
    assert_eq!(
        (transitions[0].failures, transitions[0].calls),
        (Some(2), Some(3))
    );
    for later in &transitions[1..] {
        assert_eq!((later.failures, later.calls), (None, None));
    }
    for each in transitions {
        assert_eq!((each.name, each.missed), (Some("bench"), 0));
    }
}

#[test]
fn operator_actions_are_notified_unless_they_have_no_effect() {
    use State::{Closed, Disabled, ForcedOpen, Open};

    let (breaker, _clock, log) = bench(POLICY);
    breaker.resume();
    breaker.force_open();
    breaker.force_open();
    breaker.resume();
    breaker.disable();
    breaker.disable();
    breaker.resume();
    breaker.force_open_for(Duration::from_micros(20_001));
    breaker.reset();
    breaker.reset();

    let operator = |from, to, generation, open_for| {
        let cause = Cause::Operator;
        (from, to, cause, generation, 0, open_for)
    };
    assert_eq!(
        log.transitions().iter().map(summary).collect::<Vec<_>>(),
        [
            operator(Closed, ForcedOpen, 1, None),
            operator(ForcedOpen, Open, 2, Some(0)),
            operator(Open, Disabled, 3, None),
            operator(Disabled, Closed, 4, None),
            operator(Closed, Open, 5, Some(21)),
            operator(Open, Closed, 6, None),
            operator(Closed, Closed, 7, None),
        ]
    );
}

#[test]
fn jitter_is_in_the_reported_length() {
    let backoff = Backoff::constant(SECOND).jitter(50).seed(3);
    let (breaker, clock, log) = bench(POLICY.backoff(backoff));
    fail(&breaker);
    let open_for = log.transitions()[0].open_for.unwrap();
    assert!(SECOND < open_for && open_for <= SECOND * 3 / 2);
    assert_eq!(breaker.snapshot().retry_after, Some(open_for));
    clock.advance(open_for.saturating_sub(Duration::from_millis(1)));
    assert_eq!(breaker.state(), State::Open);
    clock.advance(Duration::from_millis(1));
    assert_eq!(breaker.state(), State::HalfOpen);
}

#[test]
fn listeners_are_notified_in_the_order_in_which_they_were_added() {
    static ORDER: Mutex<Vec<u32>> = Mutex::new(Vec::new());
    fn record(listener: u32) -> impl Fn(&Transition) {
        move |_| ORDER.lock().unwrap().push(listener)
    }

    let breaker = Breaker::builder()
        .listeners(&[
            &|_: &Transition| ORDER.lock().unwrap().push(1),
            &|_: &Transition| ORDER.lock().unwrap().push(2),
        ])
        .build()
        .with_shared_listener(Arc::new(record(3)))
        .with_shared_listener(Arc::new(record(4)));
    breaker.force_open();
    breaker.reset();
    assert_eq!(*ORDER.lock().unwrap(), [1, 2, 3, 4, 1, 2, 3, 4]);
}

#[test]
fn a_listener_added_later_is_notified_of_later_transitions_only() {
    for fixed in [false, true] {
        let builder = Breaker::builder();
        let breaker = if fixed {
            builder.listeners(&[&|_: &Transition| {}]).build()
        } else {
            builder.build()
        };
        for _ in 0..40 {
            breaker.reset();
        }
        let log = Arc::new(TransitionLog::default());
        let breaker = breaker.with_shared_listener(log.clone());
        breaker.force_open();
        breaker.reset();
        assert_eq!(log.generations(), [(41, 0), (42, 0)]);
    }
}

#[test]
fn a_transition_made_by_a_listener_is_delivered_after_the_one_that_caused_it() {
    static ORDER: Mutex<Vec<(u32, u16)>> = Mutex::new(Vec::new());
    static DEPENDENCY: Breaker = Breaker::builder()
        .listeners(&[
            &|transition: &Transition| {
                if transition.generation < 4 {
                    DEPENDENCY.reset();
                }
                ORDER.lock().unwrap().push((1, transition.generation));
            },
            &|transition: &Transition| ORDER.lock().unwrap().push((2, transition.generation)),
        ])
        .build();
    DEPENDENCY.reset();
    assert_eq!(
        *ORDER.lock().unwrap(),
        [
            (1, 1),
            (2, 1),
            (1, 2),
            (2, 2),
            (1, 3),
            (2, 3),
            (1, 4),
            (2, 4)
        ]
    );
}

#[test]
fn sixteen_transitions_wait_and_beyond_that_the_oldest_are_missed_and_reported() {
    for (made, missed) in [(16, 0), (17, 1), (30, 14)] {
        let made_once = AtomicBool::new(false);
        let log = Arc::new(TransitionLog::default());
        let breaker = Arc::new_cyclic(|weak: &std::sync::Weak<Breaker>| {
            let weak = weak.clone();
            Breaker::new()
                .with_shared_listener(log.clone())
                .with_shared_listener(Arc::new(move |_: &Transition| {
                    if !made_once.swap(true, Ordering::Relaxed) {
                        let breaker = weak.upgrade().unwrap();
                        for _ in 0..made {
                            breaker.reset();
                        }
                    }
                }))
        });
        breaker.force_open();
        breaker.disable();

        let last = made + 1;
        let mut expected = vec![(1, 0)];
        expected.extend((last - 15..=last).map(|generation| (generation, 0)));
        expected[1].1 = missed;
        expected.push((last + 1, 0));
        assert_eq!(log.generations(), expected, "{made} made in a listener");
    }
}

/// Records the events of calls.
#[derive(Debug)]
struct CallLog(Mutex<Vec<String>>);

impl CallLog {
    fn record(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }
}

impl CallListener for CallLog {
    fn on_admitted(&self, call: &Admitted) {
        assert_eq!(call.name, Some("logged"));
        self.record(format!("{} probe={}", call.generation, call.probe));
    }

    fn on_outcome(&self, ended: &Ended) {
        self.record(format!(
            "{} {:?} {:?}",
            ended.call.generation, ended.outcome, ended.recorded
        ));
    }

    fn on_rejected(&self, rejected: &Rejected) {
        self.record(format!("{} {:?}", rejected.generation(), rejected.reason()));
    }
}

#[test]
fn a_call_listener_is_notified_of_every_admission_outcome_and_rejection() {
    static CALLS: CallLog = CallLog(Mutex::new(Vec::new()));
    let clock = Arc::new(Manual::new());
    let breaker = Breaker::builder()
        .policy(POLICY.slow_call(SECOND))
        .name("logged")
        .call_listener(&CALLS)
        .build()
        .with_shared_clock(clock.clone());

    breaker.call(|| Ok::<_, ()>(())).unwrap();
    let late = breaker.try_acquire().unwrap();
    let slow = breaker.call(|| {
        clock.advance(SECOND);
        Ok::<_, ()>(())
    });
    slow.unwrap();
    breaker.try_acquire().unwrap_err();
    late.ignore();
    clock.advance(SECOND);
    breaker.call(|| Ok::<_, ()>(())).unwrap();
    assert_eq!(
        *CALLS.0.lock().unwrap(),
        [
            "0 probe=false",
            "0 Success Applied",
            "0 probe=false",
            "0 probe=false",
            "0 Failure Tripped",
            "1 Open",
            "0 Failure Stale",
            "2 probe=true",
            "2 Success Recovered",
        ]
    );
}

/// Records the events that every listener receives.
#[derive(Debug, Default)]
struct Events(Mutex<Vec<String>>);

impl Events {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }
}

impl Listener for Events {
    fn on_transition(&self, transition: &Transition) {
        self.note(format!("to {}", transition.to));
    }

    fn on_rejected(&self, rejected: &Rejected) {
        assert_eq!(rejected.name(), Some("logged"));
        self.note(format!("rejected: {}", rejected.reason().as_str()));
    }

    fn on_failure(&self, ended: &Ended) {
        assert_eq!(ended.call.name, Some("logged"));
        self.note(format!("{:?} {:?}", ended.outcome, ended.recorded));
    }

    fn on_stale(&self, ended: &Ended) {
        self.note(format!("{:?} {:?}", ended.outcome, ended.recorded));
    }
}

#[test]
fn a_listener_is_notified_of_everything_but_healthy_calls() {
    let events = Arc::new(Events::default());
    let clock = Arc::new(Manual::new());
    let breaker = Breaker::builder()
        .policy(POLICY)
        .name("logged")
        .build()
        .with_shared_clock(clock.clone())
        .with_shared_listener(events.clone());

    for _ in 0..50 {
        breaker.call(|| Ok::<_, ()>(())).unwrap();
    }
    breaker.try_acquire().unwrap().ignore();
    assert_eq!(*events.0.lock().unwrap(), [""; 0]);

    let [success, failure, ignored, dropped] = [(); 4].map(|()| breaker.try_acquire().unwrap());
    breaker.call(|| Err::<(), _>(())).unwrap_err();
    breaker.call(|| Ok::<_, ()>(())).unwrap_err();
    success.success();
    failure.failure();
    ignored.ignore();
    drop(dropped);
    clock.advance(SECOND);
    let probe = breaker.try_acquire().unwrap();
    breaker.peek().unwrap_err();
    breaker.try_acquire().unwrap_err();
    probe.failure();
    breaker.force_open();
    breaker.try_acquire().unwrap_err();
    assert_eq!(
        *events.0.lock().unwrap(),
        [
            "Failure Tripped",
            "to open",
            "rejected: open",
            "Success Stale",
            "Failure Stale",
            "Ignored Stale",
            "Ignored Stale",
            "to half-open",
            "rejected: probes-busy",
            "Failure Reopened",
            "to open",
            "to forced-open",
            "rejected: forced-open",
        ]
    );
}

#[test]
fn a_rejection_that_ends_a_lease_comes_after_its_transition() {
    let events = Arc::new(Events::default());
    let clock = Arc::new(Manual::new());
    let breaker = Breaker::builder()
        .policy(POLICY.probe_lease(SECOND))
        .name("logged")
        .build()
        .with_shared_clock(clock.clone())
        .with_shared_listener(events.clone());
    fail(&breaker);
    clock.advance(SECOND);
    let _late = breaker.try_acquire().unwrap();
    clock.advance(2 * SECOND);
    breaker.try_acquire().unwrap_err();
    let all = events.0.lock().unwrap();
    assert_eq!(all[all.len() - 2..], ["to open", "rejected: open"]);
}

#[test]
fn call_listeners_added_at_run_time_are_notified_after_the_fixed_one_and_a_panic_silences_none() {
    static ORDER: Mutex<Vec<(u32, &str)>> = Mutex::new(Vec::new());

    struct Numbered(u32);

    impl Numbered {
        fn record(&self, what: &'static str) {
            ORDER.lock().unwrap().push((self.0, what));
            assert_ne!(self.0, 2, "the second one always panics");
        }
    }

    impl CallListener for Numbered {
        fn on_admitted(&self, _: &Admitted) {
            self.record("admitted");
        }

        fn on_outcome(&self, _: &Ended) {
            self.record("ended");
        }

        fn on_rejected(&self, _: &Rejected) {
            self.record("rejected");
        }
    }

    let breaker = Breaker::builder()
        .policy(POLICY)
        .call_listener(&Numbered(1))
        .build()
        .with_shared_call_listener(Arc::new(Numbered(2)))
        .with_shared_call_listener(Arc::new(Numbered(3)));
    assert_eq!(fail(&breaker), Recorded::Tripped);
    breaker.try_acquire().unwrap_err();
    let events = ["admitted", "ended", "rejected"];
    let each = events
        .iter()
        .flat_map(|what| [1, 2, 3].map(|listener| (listener, *what)));
    assert_eq!(*ORDER.lock().unwrap(), each.collect::<Vec<_>>());
}

#[test]
fn a_call_listener_added_at_run_time_is_notified_of_healthy_calls() {
    static CALLS: CallLog = CallLog(Mutex::new(Vec::new()));

    #[derive(Debug)]
    struct Forward;

    impl CallListener for Forward {
        fn on_admitted(&self, call: &Admitted) {
            CALLS.on_admitted(call);
        }

        fn on_outcome(&self, ended: &Ended) {
            CALLS.on_outcome(ended);
        }
    }

    let breaker = Breaker::builder().name("logged").build();
    let breaker = breaker.with_shared_call_listener(Arc::new(Forward));
    for _ in 0..50 {
        breaker.call(|| Ok::<_, ()>(())).unwrap();
    }
    assert_eq!(CALLS.0.lock().unwrap().len(), 100);
}

#[test]
fn a_slow_listener_delays_no_thread_and_gets_later_transitions_afterwards() {
    let (entered, leave) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let log = Arc::new(TransitionLog::default());
    let slow = {
        let (entered, leave) = (Arc::clone(&entered), Arc::clone(&leave));
        move |transition: &Transition| {
            if transition.generation == 1 {
                entered.wait();
                leave.wait();
            }
        }
    };
    let breaker = Breaker::new()
        .with_shared_listener(Arc::new(slow))
        .with_shared_listener(log.clone());

    thread::scope(|scope| {
        scope.spawn(|| breaker.force_open());
        entered.wait();
        for _ in 0..19 {
            breaker.reset();
        }
        assert_eq!(log.transitions(), [], "the first is still being delivered");
        leave.wait();
    });
    let mut expected = vec![(1, 0), (5, 3)];
    expected.extend((6..=20).map(|generation| (generation, 0)));
    assert_eq!(log.generations(), expected);
}

/// Records transitions, and checks that one thread at a time delivers them.
#[derive(Debug, Default)]
struct ConcurrencyLog {
    inside: AtomicBool,
    log: TransitionLog,
    dispatchers: Mutex<Vec<thread::ThreadId>>,
}

impl Listener for ConcurrencyLog {
    fn on_transition(&self, transition: &Transition) {
        let alone = !self.inside.swap(true, Ordering::SeqCst);
        self.log.on_transition(transition);
        if alone {
            self.dispatchers
                .lock()
                .unwrap()
                .push(thread::current().id());
            self.inside.store(false, Ordering::SeqCst);
        }
    }
}

#[test]
fn concurrent_transitions_reach_each_listener_in_order_or_as_a_reported_gap() {
    const THREADS: u16 = 4;
    const EACH: u16 = 500;
    const ROUNDS: u32 = 200;

    for round in 1..=ROUNDS {
        let log = Arc::new(ConcurrencyLog::default());
        let second = Arc::new(TransitionLog::default());
        let breaker = Breaker::new()
            .with_shared_listener(log.clone())
            .with_shared_listener(second.clone());
        let start = Barrier::new(usize::from(THREADS));
        let makers: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        for i in 0..EACH {
                            if i % 2 == 0 {
                                breaker.reset();
                            } else {
                                breaker.force_open_for(SECOND);
                            }
                        }
                        thread::current().id()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|made| made.join().unwrap())
                .collect()
        });

        let transitions = log.log.transitions();
        let mut last = 0;
        for each in &transitions {
            let gap = u32::from(each.generation - last) - 1;
            assert_eq!(each.missed, gap, "before {}", each.generation);
            last = each.generation;
        }
        assert_eq!(
            last,
            THREADS * EACH,
            "the last notified transition led to the current state"
        );
        assert_eq!(
            transitions.last().unwrap().to,
            breaker.snapshot().stored_state
        );
        assert_eq!(
            transitions,
            second.transitions(),
            "all listeners receive the same transitions"
        );
        let dispatchers = log.dispatchers.lock().unwrap();
        assert_eq!(
            dispatchers.len(),
            transitions.len(),
            "delivered by one thread at a time"
        );

        let delivered_by = |id| {
            dispatchers
                .iter()
                .filter(|dispatcher| **dispatcher == id)
                .count()
        };
        if makers
            .iter()
            .any(|id| delivered_by(*id) > usize::from(EACH))
        {
            return; // Another thread delivered this thread's transition: they collided.
        }
        assert!(round < ROUNDS, "the threads never collided");
    }
}

//! Runs the breaker under test and the oracle in lockstep: each operation is applied to both, and
//! after each one everything observable must agree.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use cutout::{
    Admitted, Breaker, CallListener, Cause, Ended, Error, Listener, Outcome, Permit, Policy,
    Recorded, Rejected, Snapshot, Span, State, Threshold, Transition, Window,
    clock::{Clock, Manual},
};

use super::{
    CallEvent, HeldPermit, Notified, ObservedState, Oracle, Rejection, support::CountingClock,
};

/// Starting conditions of a game.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) policy: Policy,
    /// First clock reading, in nanoseconds.
    pub(crate) start: u64,
    /// Resets before the first operation, so that a game can start at any generation.
    pub(crate) transitions: usize,
    /// Whether a call listener is set: calls then take another path.
    pub(crate) watched: bool,
}

impl Setup {
    /// Moves the start past a multiple of 2^29 time buckets that is near. There a first period,
    /// whose word says that it began in bucket 0, has the exception that `Breaker#limits`
    /// documents.
    pub(crate) fn without_the_wrap_of_bucket_starts(mut self) -> Self {
        const NEAR: u64 = 1_200_000_000_000;
        if let Some(Window {
            span: Span::Within(time),
            threshold: Threshold::Percent { .. },
            ..
        }) = self.policy.trip.window
        {
            let wrap = (time.as_nanos() / 10) << 29;
            let left = wrap - u128::from(self.start) % wrap;
            if left < u128::from(NEAR) {
                self.start = self.start.wrapping_add(NEAR);
            }
        }
        self
    }
}

/// An operation. An index selects one of the held permits, modulo their number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Acquire,
    Report(usize, Outcome),
    Drop(usize),
    /// Leaks a permit.
    Forget(usize),
    /// Drops a permit by a panic.
    Unwind(usize),
    /// A whole call that takes this long, as a closure or as a future.
    Call {
        end: End,
        takes: Duration,
        future: bool,
    },
    /// A future that is dropped after this long.
    Cancel {
        after: Duration,
    },
    /// `calls` calls that end at once, `gap` apart. Every `fail_every`th fails; none fails if that
    /// is 0. Stops at the first rejection.
    Play {
        calls: u32,
        fail_every: u32,
        gap: Duration,
    },
    ForceOpen,
    ForceOpenFor(Duration),
    Disable,
    Resume,
    Reset,
    Advance(Duration),
    StepBack(Duration),
    /// Moves the clock to this many nanoseconds after (or before) the deadline, if there is one.
    ToDeadline(i64),
    /// Moves the clock in the same way relative to the end of the lease.
    ToLeaseEnd(i64),
    SetClock(u64),
    /// Advances by this many tenths of the trip's time window, plus or minus nanoseconds. Does
    /// nothing without such a window.
    Tenths(u32, i64),
    /// Advances to this many nanoseconds after (or before) the next whole tenth.
    ToTenth(i64),
}

/// The end of a whole call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Outcome(Outcome),
    Panic,
    ClassifierPanic,
}

/// Events that occurred in a game, so that a property can show that it covered more than healthy
/// calls.
pub(crate) type Coverage = BTreeSet<String>;

/// Events that a breaker without an operator can reach.
pub(crate) const WITHOUT_OPERATOR: [&str; 14] = [
    "Applied",
    "LeaseExpired",
    "Open",
    "ProbeAdmitted",
    "ProbeFailed",
    "ProbesBusy",
    "Recovered",
    "Reopened",
    "Stale",
    "Tripped",
    "Unrecorded",
    "calls left the window",
    "probe false",
    "probe true",
];

/// Plays a game.
///
/// # Panics
///
/// At the first step after which the breaker and the oracle disagree.
pub(crate) fn play(setup: &Setup, ops: &[Op]) -> Coverage {
    let clock = Arc::new(CountingClock::at(setup.start));
    let notified = Arc::new(NotificationLog::default());
    let mut builder = Breaker::builder().policy(setup.policy);
    if setup.watched {
        builder = builder.call_listener(&RecordingListener);
    }
    let breaker = builder
        .try_build()
        .expect("the policy is within its bounds")
        .with_shared_clock(clock.clone());
    for _ in 0..setup.transitions {
        breaker.reset();
    }
    let breaker = breaker.with_shared_listener(notified.clone());
    CALL_EVENTS.take();

    let mut lockstep = Lockstep {
        breaker: &breaker,
        clock: &clock,
        counting: &clock,
        notified: &notified,
        watched: setup.watched,
        oracle: Oracle::new(setup.policy, setup.transitions, setup.start),
        permits: Vec::new(),
        coverage: Coverage::new(),
    };
    lockstep.compare("at the start");
    for (step, op) in ops.iter().enumerate() {
        let before = lockstep.clock.now();
        let at = format!("step {step}, {op:?}, clock at {before}");
        lockstep.step(*op, &at);
        lockstep.compare(&at);
    }
    lockstep.coverage
}

struct Lockstep<'a> {
    breaker: &'a Breaker,
    clock: &'a Manual,
    /// The same clock, which counts the readings of the breaker.
    counting: &'a CountingClock,
    notified: &'a NotificationLog,
    watched: bool,
    oracle: Oracle,
    permits: Vec<(Permit<'a>, HeldPermit)>,
    coverage: Coverage,
}

impl<'a> Lockstep<'a> {
    fn step(&mut self, op: Op, at: &str) {
        let now = self.clock.now();
        match op {
            Op::Acquire => {
                let permit = self.breaker.try_acquire();
                self.pass_drawn_length();
                let held = self.oracle.acquire(now);
                let admitted = permit
                    .as_ref()
                    .map(admission)
                    .map_err(|rejected| rejected_call(*rejected));
                assert_eq!(
                    admitted,
                    held.map(|held| (held.generation, held.probe)),
                    "verdict {at}"
                );
                self.permits.extend(permit.ok().zip(held.ok()));
            }
            Op::Report(which, outcome) => {
                if let Some((permit, held)) = self.take(which) {
                    let before = self.reads();
                    let recorded = permit.record(outcome);
                    self.oracle.set_read_clock(self.reads() > before);
                    self.pass_drawn_length();
                    let expected = self.oracle.report(held, outcome, now);
                    assert_eq!(recorded, expected, "recorded {at}");
                }
            }
            Op::Drop(which) => {
                if let Some((permit, held)) = self.take(which) {
                    drop(permit);
                    self.pass_drawn_length();
                    self.oracle.drop(held, now);
                }
            }
            Op::Forget(which) => {
                if let Some((permit, _)) = self.take(which) {
                    std::mem::forget(permit);
                }
            }
            Op::Unwind(which) => {
                if let Some((permit, held)) = self.take(which) {
                    let thrown = catch_unwind(AssertUnwindSafe(|| {
                        let _permit = permit;
                        throw();
                    }));
                    assert!(thrown.is_err(), "the panic propagates {at}");
                    self.pass_drawn_length();
                    self.oracle.panic(held, now);
                }
            }
            Op::Call { end, takes, future } => self.call(end, takes, future, at),
            Op::Cancel { after } => self.cancel(after, at),
            Op::Play {
                calls,
                fail_every,
                gap,
            } => self.play(calls, fail_every, gap, at),
            Op::ForceOpen => self.operate(at, Breaker::force_open, Oracle::force_open),
            Op::ForceOpenFor(time) => self.operate(
                at,
                |breaker| breaker.force_open_for(time),
                |oracle, now| oracle.force_open_for(time, now),
            ),
            Op::Disable => self.operate(at, Breaker::disable, Oracle::disable),
            Op::Resume => self.operate(at, Breaker::resume, Oracle::resume),
            Op::Reset => self.operate(at, Breaker::reset, Oracle::reset),
            Op::Advance(time) => self.clock.advance(time),
            Op::StepBack(time) => self.clock.step_back(time),
            Op::ToDeadline(nanos) => self.go(self.oracle.remaining(now), nanos),
            Op::ToLeaseEnd(nanos) => self.go(self.oracle.until_lease_end(now), nanos),
            Op::SetClock(nanos) => self.clock.set(nanos),
            Op::Tenths(tenths, nanos) => {
                self.go(self.tenth().map(|tenth| tenths * tenth), nanos);
            }
            Op::ToTenth(nanos) => {
                let remaining = self.tenth().map(|tenth| {
                    let tenth = u64::try_from(tenth.as_nanos()).expect("at most 36 days");
                    Duration::from_nanos(tenth - now % tenth)
                });
                self.go(remaining, nanos);
            }
        }
        if self.oracle.is_ambiguous(self.clock.now()) {
            self.clock.set(now);
        }
    }

    fn call(&mut self, end: End, takes: Duration, future: bool, at: &str) {
        let admitted_at = self.clock.now();
        let before = self.reads();
        let result = catch_unwind(AssertUnwindSafe(|| {
            let operation = || {
                self.clock.advance(takes);
                match end {
                    End::Panic => throw(),
                    _ => Ok::<_, ()>(()),
                }
            };
            let classify = |_: &Result<(), ()>| match end {
                End::Outcome(outcome) => outcome,
                _ => throw(),
            };
            if future {
                poll_once(
                    self.breaker
                        .call_async_with(async { operation() }, classify),
                )
                .expect("the operation never waits")
            } else {
                self.breaker.call_with(operation, classify)
            }
        }));
        self.oracle.set_read_clock(self.reads() > before);
        self.pass_drawn_length();
        match self.oracle.acquire(admitted_at) {
            Err(expected) => {
                let result = result.expect("nothing was called that could panic");
                assert_eq!(rejection_in(&result), Some(expected), "verdict {at}");
            }
            Ok(held) => {
                let now = self.clock.now();
                match end {
                    End::Outcome(outcome) => {
                        let result = result.expect("the call does not panic {at}");
                        assert_eq!(result, Ok(()), "the call gets its own result {at}");
                        self.oracle.report(held, outcome, now);
                    }
                    End::Panic | End::ClassifierPanic => {
                        assert!(result.is_err(), "the panic propagates {at}");
                        self.oracle.panic(held, now);
                    }
                }
            }
        }
    }

    fn play(&mut self, calls: u32, fail_every: u32, gap: Duration, at: &str) {
        for call in 1..=calls {
            self.clock.advance(gap);
            let held = self.permits.len();
            self.step(Op::Acquire, at);
            if self.permits.len() == held {
                return;
            }
            let outcome = if call.checked_rem(fail_every) == Some(0) {
                Outcome::Failure
            } else {
                Outcome::Success
            };
            self.step(Op::Report(held, outcome), at);
            if !self.notified.transitions.lock().unwrap().is_empty() {
                self.compare(at);
            }
        }
    }

    fn cancel(&mut self, after: Duration, at: &str) {
        let admitted_at = self.clock.now();
        let polled = poll_once(self.breaker.call_async(async {
            self.clock.advance(after);
            future::pending::<Result<(), ()>>().await
        }));
        self.pass_drawn_length();
        match self.oracle.acquire(admitted_at) {
            Err(expected) => {
                let result = polled.expect("a rejection comes at once");
                assert_eq!(rejection_in(&result), Some(expected), "verdict {at}");
            }
            Ok(held) => {
                assert_eq!(polled, None, "the call was made {at}");
                self.oracle.drop(held, self.clock.now());
            }
        }
    }

    fn operate(
        &mut self,
        at: &str,
        command: impl Fn(&Breaker) -> State,
        expected: impl Fn(&mut Oracle, u64) -> State,
    ) {
        let found = command(self.breaker);
        let expected = expected(&mut self.oracle, self.clock.now());
        assert_eq!(found, expected, "the state found {at}");
    }

    fn reads(&self) -> u32 {
        self.counting.reads()
    }

    /// Passes the drawn length to the oracle, if the last operation began an open period.
    fn pass_drawn_length(&mut self) {
        let notified = self.notified.transitions.lock().unwrap();
        let opened = |transition: &&Transition| {
            transition.to == State::Open && transition.cause != Cause::Operator
        };
        self.oracle.set_open_for(
            notified
                .iter()
                .find(opened)
                .and_then(|opened| opened.open_for),
        );
    }

    fn take(&mut self, which: usize) -> Option<(Permit<'a>, HeldPermit)> {
        let place = which.checked_rem(self.permits.len())?;
        Some(self.permits.swap_remove(place))
    }

    /// A tenth of the window, if the trip has a time window.
    fn tenth(&self) -> Option<Duration> {
        match self.breaker.policy().trip.window?.span {
            Span::Within(time) => Some(time / 10),
            _ => None,
        }
    }

    fn go(&self, remaining: Option<Duration>, nanos: i64) {
        if let Some(remaining) = remaining {
            self.clock.advance(remaining);
            let offset = Duration::from_nanos(nanos.unsigned_abs());
            if nanos < 0 {
                self.clock.step_back(offset);
            } else {
                self.clock.advance(offset);
            }
        }
    }

    fn compare(&mut self, at: &str) {
        let now = self.clock.now();
        assert_eq!(
            self.breaker.state(),
            self.oracle.state(now),
            "state after {at}"
        );
        let mut seen = ObservedState::from(self.breaker.snapshot());
        // The breaker may or may not report more failures than trip.
        seen.failures = seen
            .failures
            .map(|failures| failures.min(self.oracle.failure_limit()));
        assert_eq!(seen, self.oracle.observe(now), "snapshot after {at}");
        if let Some((at_least, at_most)) = self.oracle.young_calls(now) {
            let failures = Some(at_least.failures)..=Some(at_most.failures);
            let calls = Some(at_least.calls)..=Some(at_most.calls);
            assert!(failures.contains(&seen.failures), "failures by age {at}");
            assert!(calls.contains(&seen.calls), "calls by age {at}");
        }
        if self.oracle.window_has_evicted(now) {
            self.coverage.insert("calls left the window".into());
        }
        assert_eq!(
            self.breaker.peek().map_err(rejected_call),
            self.oracle.peek(now),
            "peek after {at}"
        );

        let notified: Vec<Transition> =
            std::mem::take(&mut self.notified.transitions.lock().unwrap());
        for transition in &notified {
            assert_eq!(
                transition.missed, 0,
                "no transition is missed in one thread {at}"
            );
            self.coverage.insert(format!("{:?}", transition.cause));
        }
        let mut notified: Vec<Notified> = notified.iter().map(Notified::from).collect();
        for transition in &mut notified {
            let failures = transition.failures;
            transition.failures =
                failures.map(|failures| failures.min(self.oracle.failure_limit()));
        }
        assert_eq!(
            notified,
            self.oracle.take_transitions(),
            "notified transitions after {at}"
        );

        let call_events = self.oracle.take_call_events();
        for call in &call_events {
            self.coverage.insert(match call {
                CallEvent::Admitted { probe, .. } => format!("probe {probe}"),
                CallEvent::Ended { recorded, .. } => format!("{recorded:?}"),
                CallEvent::Rejection(rejection) => format!("{:?}", rejection.reason),
            });
        }
        if self.watched {
            assert_eq!(CALL_EVENTS.take(), call_events, "call events after {at}");
        }
        let expected = call_events.into_iter().filter(is_for_listeners);
        assert_eq!(
            std::mem::take(&mut *self.notified.calls.lock().unwrap()),
            expected.collect::<Vec<_>>(),
            "rejections, failures and stale outcomes after {at}"
        );
    }
}

/// Unwinds without a message on stderr.
fn throw() -> ! {
    resume_unwind(Box::new("thrown by the test"))
}

/// The result of a future that is ready at the first poll; otherwise drops the future.
fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

fn admission(permit: &Permit<'_>) -> (u16, bool) {
    (permit.generation(), permit.is_probe())
}

fn rejected_call(rejected: Rejected) -> Rejection {
    Rejection {
        reason: rejected.reason(),
        retry_after: rejected.retry_after(),
        generation: rejected.generation(),
    }
}

fn rejection_in(result: &Result<(), Error<()>>) -> Option<Rejection> {
    result
        .as_ref()
        .err()?
        .rejected()
        .copied()
        .map(rejected_call)
}

impl From<Snapshot> for ObservedState {
    fn from(snapshot: Snapshot) -> Self {
        Self {
            state: snapshot.state,
            recorded: snapshot.stored_state,
            generation: snapshot.generation,
            failures: snapshot.failures,
            calls: snapshot.calls,
            reopens: snapshot.reopens,
            probes_in_flight: snapshot.probes_in_flight,
            retry_after: snapshot.retry_after,
            since: snapshot.since,
        }
    }
}

impl From<&Transition> for Notified {
    fn from(transition: &Transition) -> Self {
        Self {
            from: transition.from,
            to: transition.to,
            generation: transition.generation,
            cause: transition.cause,
            failures: transition.failures,
            calls: transition.calls,
            reopens: transition.reopens,
            open_for: transition.open_for,
        }
    }
}

/// The notifications of a listener.
#[derive(Default)]
struct NotificationLog {
    transitions: Mutex<Vec<Transition>>,
    calls: Mutex<Vec<CallEvent>>,
}

impl Listener for NotificationLog {
    fn on_transition(&self, transition: &Transition) {
        self.transitions.lock().unwrap().push(*transition);
    }

    fn on_rejected(&self, rejected: &Rejected) {
        let event = CallEvent::Rejection(rejected_call(*rejected));
        self.calls.lock().unwrap().push(event);
    }

    fn on_failure(&self, ended: &Ended) {
        assert!(is_failure(ended.outcome), "{ended:?}");
        self.calls.lock().unwrap().push(ended.into());
    }

    fn on_stale(&self, ended: &Ended) {
        assert!(!is_failure(ended.outcome), "{ended:?}");
        self.calls.lock().unwrap().push(ended.into());
    }
}

impl From<&Ended> for CallEvent {
    fn from(ended: &Ended) -> Self {
        Self::Ended {
            generation: ended.call.generation,
            probe: ended.call.probe,
            outcome: ended.outcome,
            recorded: ended.recorded,
        }
    }
}

fn is_failure(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failure | Outcome::FailureFor(_))
}

fn is_for_listeners(event: &CallEvent) -> bool {
    match event {
        CallEvent::Admitted { .. } => false,
        CallEvent::Ended {
            outcome, recorded, ..
        } => is_failure(*outcome) || *recorded == Recorded::Stale,
        CallEvent::Rejection(_) => true,
    }
}

thread_local! {
    /// Events that [`RecordingListener`] recorded on this thread. A call listener is a static, and
    /// games run in parallel.
    static CALL_EVENTS: RefCell<Vec<CallEvent>> = const { RefCell::new(Vec::new()) };
}

struct RecordingListener;

impl RecordingListener {
    fn note(call_events: CallEvent) {
        CALL_EVENTS.with_borrow_mut(|log| log.push(call_events));
    }
}

impl CallListener for RecordingListener {
    fn on_admitted(&self, call: &Admitted) {
        Self::note(CallEvent::Admitted {
            generation: call.generation,
            probe: call.probe,
        });
    }

    fn on_outcome(&self, ended: &Ended) {
        Self::note(ended.into());
    }

    fn on_rejected(&self, rejected: &Rejected) {
        Self::note(CallEvent::Rejection(rejected_call(*rejected)));
    }
}

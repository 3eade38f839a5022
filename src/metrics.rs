//! [`Metrics`]: states, transitions and calls as numbers through the `metrics` facade.
//!
//! | metric | kind | unit | labels | counts | from |
//! |---|---|---|---|---|---|
//! | `circuit_breaker.count` | gauge | `{breaker}` | name, `circuit_breaker.state` | the breakers in each state | [`Metrics::new`] |
//! | `circuit_breaker.transitions` | counter | `{transition}` | name, `circuit_breaker.transition.from`, `.to`, `.cause` | transitions | [`Metrics::new`] |
//! | `circuit_breaker.missed_transitions` | counter | `{transition}` | name | transitions that were dropped from the queue, and are not in the former | [`Metrics::new`] |
//! | `circuit_breaker.conflicts` | counter | `{transition}` | name | transitions that follow from no counted state: see [two breakers](#two-breakers) | [`Metrics::new`] |
//! | `circuit_breaker.rejections` | counter | `{call}` | name, `circuit_breaker.rejection.reason` | rejected calls | [`Metrics::new`] |
//! | `circuit_breaker.failures` | counter | `{call}` | name | failed calls, including stale ones | [`Metrics::new`] |
//! | `circuit_breaker.stale_outcomes` | counter | `{call}` | name | calls that ended too late to count | [`Metrics::new`] |
//! | `circuit_breaker.admissions` | counter | `{call}` | name | admitted calls | [`Metrics::calls`] |
//! | `circuit_breaker.successes` | counter | `{call}` | name | successful calls, including stale ones | [`publish`], or [`Metrics::calls`] |
//! | `circuit_breaker.ignored` | counter | `{call}` | name | calls whose outcome was ignored | [`publish`] |
//!
//! "name" is the label `circuit_breaker.name`: the breaker's name, or empty if it has none. For the
//! [overflow breaker](#sets-of-breakers) of a set, it is the name and `-overflow`. The values of
//! the other labels are those of [`State::as_str`], [`Cause::as_str`](crate::Cause::as_str) and
//! [`Reason::as_str`]. Names follow OpenTelemetry: the domain instead of the library, and dots
//! between namespaces, which the exporter for Prometheus converts to underscores. [`describe`]
//! gives a recorder the units and descriptions.
//!
//! # What it costs
//!
//! [`Metrics::new`] adds no cost to a healthy call: a healthy call of a counted breaker is the same
//! machine code. It increments counters at a rejection and at a failure, and adds some lookups to a
//! transition.
//!
//! To count every call, use [`Builder::count_calls`](crate::Builder::count_calls) and [`publish`]
//! the counts before each scrape. A healthy call then writes to one counter that few threads share.
//! [`Metrics::calls`] needs no `publish`, but is a call listener: it takes every call off the fast
//! path, and writes twice in each call to counters that all threads share. The bench `sharing`
//! measures a call that is counted, and one with a call listener.
//!
//! # Without a recorder
//!
//! Nothing is counted while no recorder is installed. Counters start with the recorder, and the
//! gauge with the next transition or [`Metrics::register`]. So install the recorder first, or call
//! `register` again afterwards. Counters and gauges are looked up once, with the first recorder. (A
//! recorder of size 0, such as a unit struct, looks the same as no recorder. Counters are then
//! looked up at each use, and the gauge is not counted.)
//!
//! # Two breakers
//!
//! One [`Metrics`] belongs to one breaker; [`Metrics::on`] ensures that. If a static `Metrics` is a
//! listener of several breakers, each name is counted separately. Breakers of the same name are not
//! distinguished. Their counters add up, but `circuit_breaker.count` shows one breaker, in the
//! state that the last transition of any of them entered. `circuit_breaker.conflicts` then rises,
//! since the generations are not consecutive. It must be 0.
//!
//! # Sets of breakers
//!
//! Give each breaker of a `keyed::Breakers` a [`Metrics`] in
#![cfg_attr(
    feature = "keyed",
    doc = "[`each_by`](crate::keyed::Builder::each_by):"
)]
#![cfg_attr(not(feature = "keyed"), doc = "`each_by`:")]
//!
#![cfg_attr(feature = "keyed", doc = "```")]
#![cfg_attr(not(feature = "keyed"), doc = "```ignore")]
//! use cutout::{Breaker, keyed::Breakers, metrics::Metrics};
//!
//! const HOST: cutout::Builder = Breaker::builder().name("hosts");
//!
//! let hosts = Breakers::<String>::builder()
//!     .each_by(|_host| Metrics::new().on(HOST.build()))
//!     .build();
//! ```
//!
//! The breakers of a set add up under their name. The overflow breaker, which belongs to no key, is
//! created in the same way and counted under a separate name: here `hosts-overflow`. A breaker
//! without a name is counted as `overflow`, and a name that already ends in `overflow` stays. If the
//! overflow breaker is not closed, the keys that share it are rejected together.
//!
//! # The states
//!
//! `circuit_breaker.count` follows OpenTelemetry's convention for a state: one series for each
//! state. The series rises by one when a breaker enters the state, and falls by one when it leaves.
//! A single breaker under its name reads 1 for its state and 0 for the others. Breakers that share a
//! name add up (all hosts of a `keyed::Breakers`: three open, 997 closed). The gauge follows
//! transitions: an open breaker whose deadline has passed is counted as open until the next call.
//! Missed transitions do not affect the gauge.
//!
//! **A dropped breaker is no longer counted.** Its series stay, and read 0 if it was the last: the
//! `metrics` facade cannot unregister a series. Set no idle timeout in the exporter for these
//! series. A breaker keeps its counters and gauges, and an exporter never restores a series that it
//! has removed.

use core::mem;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use metrics::{Counter, Gauge, SharedString, Unit, counter, gauge};

use crate::{
    Admitted, Breaker, CallListener, Ended, Listener, Outcome, Reason, Recorded, Rejected,
    Snapshot, State, Transition,
};

const NAME: &str = "circuit_breaker.name";
const COUNT: &str = "circuit_breaker.count";
const TRANSITIONS: &str = "circuit_breaker.transitions";
const MISSED: &str = "circuit_breaker.missed_transitions";
const CONFLICTS: &str = "circuit_breaker.conflicts";
const FAILURES: &str = "circuit_breaker.failures";
const REJECTIONS: &str = "circuit_breaker.rejections";
const STALE: &str = "circuit_breaker.stale_outcomes";
const ADMISSIONS: &str = "circuit_breaker.admissions";
const SUCCESSES: &str = "circuit_breaker.successes";
const IGNORED: &str = "circuit_breaker.ignored";

/// Suffix of the overflow breaker's name.
const OVERFLOW: &str = "overflow";
/// The largest number of transitions in the queue of a breaker.
const MAX_QUEUED: u16 = 16;

/// In the order of the variants of `State`.
const STATES: [State; 5] = [
    State::Closed,
    State::Open,
    State::HalfOpen,
    State::ForcedOpen,
    State::Disabled,
];

/// In the order of the variants of `Reason`.
const REASONS: [Reason; 3] = [Reason::Open, Reason::ProbesBusy, Reason::ForcedOpen];

/// Gives the installed recorder the unit and the description of each metric. Call it once.
pub fn describe() {
    metrics::describe_gauge!(COUNT, Unit::Count, "The circuit breakers in each state.");
    let counters = [
        (TRANSITIONS, "Changes of a circuit breaker's state."),
        (
            MISSED,
            "Transitions that were dropped before listeners were notified.",
        ),
        (
            CONFLICTS,
            "Transitions of a second breaker that is counted as the first.",
        ),
        (REJECTIONS, "Calls that a circuit breaker rejected."),
        (FAILURES, "Calls through a circuit breaker that failed."),
        (
            STALE,
            "Calls that ended too late for their outcome to count.",
        ),
        (ADMISSIONS, "Calls that a circuit breaker admitted."),
        (SUCCESSES, "Calls through a circuit breaker that succeeded."),
        (
            IGNORED,
            "Calls through a circuit breaker whose outcome was ignored.",
        ),
    ];
    for (name, description) in counters {
        metrics::describe_counter!(name, Unit::Count, description);
    }
}

/// Gives the installed recorder the successes and the ignored calls of a breaker that
/// [counts its calls](crate::Builder::count_calls). Does nothing for other breakers.
///
/// Call it before each scrape, or once in a while: both counters show the counts of the last
/// `publish`. It may be called on any thread, as a counter never falls. Use either `publish` or
/// [`Metrics::calls`] for a name, and a name of its own for each breaker: counts are not added up.
///
/// ```
/// use cutout::{Breaker, metrics};
///
/// static SEARCH: Breaker = Breaker::builder().name("search").count_calls().build();
///
/// fn before_a_scrape() {
///     metrics::publish(&SEARCH);
/// }
/// # before_a_scrape();
/// ```
pub fn publish(breaker: &Breaker) {
    if let Some(counts) = breaker.call_counts() {
        let name = breaker.name().unwrap_or_default();
        counter!(SUCCESSES, NAME => name).absolute(counts.successes);
        counter!(IGNORED, NAME => name).absolute(counts.ignored);
    }
}

/// Counts the transitions and calls of one breaker. The [module](self) documents the metrics.
///
/// With a breaker that is created at run time, after the recorder is installed:
///
/// ```
/// use cutout::{Breaker, metrics::Metrics};
///
/// let billing = Metrics::new().on(Breaker::builder().name("billing").build());
/// # billing.force_open();
/// ```
///
/// With a breaker in a `static`:
///
/// ```
/// use cutout::{Breaker, metrics::Metrics};
///
/// static METRICS: Metrics = Metrics::new();
/// static BILLING: Breaker = Breaker::builder()
///     .name("billing")
///     .listeners(&[&METRICS])
///     .build();
///
/// fn main() {
///     // install the recorder, then
///     METRICS.register(&BILLING);
/// }
/// ```
///
/// One `Metrics` belongs to one breaker: see [two breakers](self#two-breakers).
#[derive(Debug)]
pub struct Metrics {
    /// True if every call is counted.
    calls: bool,
    /// True for the overflow breaker of a set.
    overflow: bool,
    named: OnceLock<Box<Named>>,
}

/// The breaker of one name, in a list that nearly always has one element.
#[derive(Debug)]
struct Named {
    name: Option<&'static str>,
    handles: Handles,
    /// The state under which the breaker is counted.
    counted: Mutex<Option<CountedState>>,
    next: OnceLock<Box<Named>>,
}

/// A counted state.
#[derive(Clone, Copy, Debug)]
struct CountedState {
    state: State,
    generation: u16,
    /// True if the state comes from a snapshot. Listeners may then still be notified of some
    /// transitions up to it.
    seen: bool,
}

/// The metrics of one name, looked up once.
#[derive(Debug)]
struct Handles {
    states: [Gauge; 5],
    missed: Counter,
    conflicts: Counter,
    rejections: [Counter; 3],
    failures: Counter,
    stale: Counter,
    admissions: Counter,
    successes: Counter,
}

/// A counter that is labelled with the name alone, or with the reason of a rejection.
#[derive(Clone, Copy)]
enum Series {
    Missed,
    Conflicts,
    Rejections(Reason),
    Failures,
    Stale,
    Admissions,
    Successes,
}

impl Series {
    fn look_up(self, name: SharedString) -> Counter {
        match self {
            Self::Missed => counter!(MISSED, NAME => name),
            Self::Conflicts => counter!(CONFLICTS, NAME => name),
            Self::Rejections(reason) => {
                counter!(REJECTIONS, NAME => name, "circuit_breaker.rejection.reason" => reason.as_str())
            }
            Self::Failures => counter!(FAILURES, NAME => name),
            Self::Stale => counter!(STALE, NAME => name),
            Self::Admissions => counter!(ADMISSIONS, NAME => name),
            Self::Successes => counter!(SUCCESSES, NAME => name),
        }
    }
}

impl Metrics {
    /// Counts transitions, rejections, failures and stale outcomes, and the breaker under its
    /// state. Adds no cost to a healthy call.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            calls: false,
            overflow: false,
            named: OnceLock::new(),
        }
    }

    /// Also counts admissions and successes, for which a static breaker also needs this `Metrics`
    /// as its [call listener](crate::Builder::call_listener). Each call writes to two counters that
    /// all threads share. A healthy breaker writes nothing; with this setting, cores contend at
    /// every call. [`publish`] costs less. Omit both where the client of the dependency counts its
    /// calls already.
    #[must_use]
    pub const fn calls(mut self) -> Self {
        self.calls = true;
        self
    }

    /// Counts a breaker until it is dropped.
    #[must_use]
    #[cfg_attr(
        not(feature = "keyed"),
        expect(unused_mut, reason = "only a set of breakers has an overflow breaker")
    )]
    pub fn on(mut self, breaker: Breaker) -> Breaker {
        #[cfg(feature = "keyed")]
        {
            self.overflow = crate::keyed::is_building_overflow();
        }
        self.register(&breaker);
        let metrics = Arc::new(self);
        let breaker = breaker.with_shared_listener(metrics.clone());
        if metrics.calls {
            breaker.with_shared_call_listener(metrics)
        } else {
            breaker
        }
    }

    /// Counts a breaker under its state from now on. The breaker must have this `Metrics` as a
    /// listener. Call `register` when the recorder is installed; otherwise the breaker is counted
    /// from its first transition.
    ///
    /// ```
    /// # use cutout::{Breaker, metrics::Metrics};
    /// static METRICS: Metrics = Metrics::new();
    /// static BILLING: Breaker = Breaker::builder().listeners(&[&METRICS]).build();
    ///
    /// METRICS.register(&BILLING);
    /// ```
    pub fn register(&self, breaker: &Breaker) {
        let Some(named) = self.named(breaker.snapshot().name) else {
            return;
        };
        // Take the snapshot after the recorder was found: it includes the transitions before.
        named.count_if_new(&breaker.snapshot());
    }

    /// Returns the breaker of this name. `None` if the name is new and there is no recorder to look
    /// its metrics up in.
    fn named(&self, name: Option<&'static str>) -> Option<&Named> {
        let mut next = &self.named;
        loop {
            let named = match next.get() {
                Some(named) => named,
                None if is_installed() => {
                    // Run the exporter's code outside the initialization of the `OnceLock`.
                    let new = Box::new(self.new_named(name));
                    next.get_or_init(|| new)
                }
                None => return None,
            };
            if named.name == name {
                return Some(named);
            }
            next = &named.next;
        }
    }

    fn new_named(&self, name: Option<&'static str>) -> Named {
        Named {
            name,
            handles: Handles::of(&self.label(name), self.calls),
            counted: Mutex::new(None),
            next: OnceLock::new(),
        }
    }

    /// Adds to a counter of a name. Without a recorder, the counter is looked up at each use.
    fn add(&self, name: Option<&'static str>, count: Series, more: u64) {
        match self.named(name) {
            Some(named) => named.handles.counter(count).increment(more),
            None => count.look_up(self.label(name)).increment(more),
        }
    }

    /// Returns the value of the label `NAME`.
    fn label(&self, name: Option<&'static str>) -> SharedString {
        let name = name.unwrap_or_default();
        match name {
            name if !self.overflow || name.ends_with(OVERFLOW) => name.into(),
            "" => OVERFLOW.into(),
            name => format!("{name}-{OVERFLOW}").into(),
        }
    }
}

/// Returns true if there is a recorder. The default no-op recorder has size 0.
fn is_installed() -> bool {
    metrics::with_recorder(|recorder| size_of_val(recorder) > 0)
}

impl Named {
    /// Counts the breaker under the state of a snapshot, unless a transition has been counted.
    fn count_if_new(&self, now: &Snapshot) {
        let first = self.counted(|counted| {
            let first = counted.is_none();
            counted.get_or_insert(CountedState {
                state: now.stored_state,
                generation: now.generation,
                seen: true,
            });
            first
        });
        if first {
            self.handles.states[now.stored_state as usize].increment(1.0);
        }
    }

    /// Counts the breaker under the state that a transition entered, and no longer under the
    /// previous one.
    fn follow(&self, transition: &Transition) {
        let now = CountedState {
            state: transition.to,
            generation: transition.generation,
            seen: false,
        };
        let before = self.count(Some(now));
        if before.is_some_and(|before| !before.is_followed_by(transition)) {
            self.handles.conflicts.increment(1);
        }
    }

    fn count(&self, now: Option<CountedState>) -> Option<CountedState> {
        let before = self.counted(|counted| mem::replace(counted, now));
        if let Some(now) = now {
            self.handles.states[now.state as usize].increment(1.0);
        }
        if let Some(before) = before {
            self.handles.states[before.state as usize].decrement(1.0);
        }
        before
    }

    /// Accesses the counted state under its lock. The exporter's code runs outside this lock.
    fn counted<R>(&self, f: impl FnOnce(&mut Option<CountedState>) -> R) -> R {
        f(&mut self.counted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl CountedState {
    /// Returns true if this can be the next transition of the same breaker.
    fn is_followed_by(self, transition: &Transition) -> bool {
        let further = transition.generation.wrapping_sub(self.generation);
        let waited = 0_u16.wrapping_sub(further);
        u32::from(further) == (transition.missed.wrapping_add(1)) % (1 << 16)
            || self.seen && waited <= MAX_QUEUED
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        let mut next = &self.named;
        while let Some(named) = next.get() {
            named.count(None);
            next = &named.next;
        }
    }
}

impl Handles {
    fn of(name: &SharedString, calls: bool) -> Self {
        let look_up = |count: Series| count.look_up(name.clone());
        let of_calls = |count| {
            if calls {
                look_up(count)
            } else {
                Counter::noop()
            }
        };
        Self {
            states: STATES.map(|state| {
                gauge!(COUNT, NAME => name.clone(), "circuit_breaker.state" => state.as_str())
            }),
            missed: look_up(Series::Missed),
            conflicts: look_up(Series::Conflicts),
            rejections: REASONS.map(|reason| look_up(Series::Rejections(reason))),
            failures: look_up(Series::Failures),
            stale: look_up(Series::Stale),
            admissions: of_calls(Series::Admissions),
            successes: of_calls(Series::Successes),
        }
    }

    fn counter(&self, count: Series) -> &Counter {
        match count {
            Series::Missed => &self.missed,
            Series::Conflicts => &self.conflicts,
            Series::Rejections(reason) => &self.rejections[reason as usize],
            Series::Failures => &self.failures,
            Series::Stale => &self.stale,
            Series::Admissions => &self.admissions,
            Series::Successes => &self.successes,
        }
    }
}

impl Listener for Metrics {
    fn on_transition(&self, transition: &Transition) {
        let name = transition.name;
        if let Some(named) = self.named(name) {
            named.follow(transition);
        }
        self.add(name, Series::Missed, transition.missed.into());
        // Look up at each use: there are many label values and few transitions.
        counter!(
            TRANSITIONS,
            NAME => self.label(name),
            "circuit_breaker.transition.from" => transition.from.as_str(),
            "circuit_breaker.transition.to" => transition.to.as_str(),
            "circuit_breaker.transition.cause" => transition.cause.as_str(),
        )
        .increment(1);
    }

    fn on_rejected(&self, rejected: &Rejected) {
        self.add(rejected.name(), Series::Rejections(rejected.reason()), 1);
    }

    fn on_failure(&self, ended: &Ended) {
        self.add(ended.call.name, Series::Failures, 1);
        if ended.recorded == Recorded::Stale {
            self.on_stale(ended);
        }
    }

    fn on_stale(&self, ended: &Ended) {
        self.add(ended.call.name, Series::Stale, 1);
    }
}

impl CallListener for Metrics {
    fn on_admitted(&self, call: &Admitted) {
        if self.calls {
            self.add(call.name, Series::Admissions, 1);
        }
    }

    fn on_outcome(&self, ended: &Ended) {
        if self.calls && ended.outcome == Outcome::Success {
            self.add(ended.call.name, Series::Successes, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_reasons_index_their_handles() {
        for (index, state) in STATES.into_iter().enumerate() {
            assert_eq!(state as usize, index);
        }
        for (index, reason) in REASONS.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
        }
    }
}

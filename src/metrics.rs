//! What a breaker does, as numbers through the `metrics` facade: [`Metrics`].
//!
//! | metric | kind | unit | labels | counts | from |
//! |---|---|---|---|---|---|
//! | `circuit_breaker.count` | gauge | `{breaker}` | name, `circuit_breaker.state` | the breakers in each state | [`Metrics::new`] |
//! | `circuit_breaker.transitions` | counter | `{transition}` | name, `circuit_breaker.transition.from`, `.to`, `.cause` | transitions | [`Metrics::new`] |
//! | `circuit_breaker.missed_transitions` | counter | `{transition}` | name | transitions that could not be told of, and are not in the former | [`Metrics::new`] |
//! | `circuit_breaker.rejections` | counter | `{call}` | name, `circuit_breaker.rejection.reason` | calls not let through | [`Metrics::rejections`] |
//! | `circuit_breaker.stale_outcomes` | counter | `{call}` | name | calls that ended too late to count | [`Metrics::rejections`] |
//! | `circuit_breaker.admissions` | counter | `{call}` | name | calls let through | [`Metrics::calls`] |
//! | `circuit_breaker.successes` | counter | `{call}` | name | calls that ended well, stale ones too | [`Metrics::calls`] |
//!
//! "name" is the label `circuit_breaker.name`: the breaker's, or empty if it has none. The other labels' values are
//! those of [`State::as_str`], [`Cause::as_str`](crate::Cause::as_str) and [`Reason::as_str`]. Names follow
//! OpenTelemetry: the domain, not the library; dots between namespaces, which Prometheus' exporter makes
//! underscores. [`describe`] gives a recorder the units and descriptions.
//!
//! # What it costs
//!
//! [`Metrics::new`] costs calls nothing, and a transition some lookups. The others are call listeners, and take the
//! shortcut from every call: where a healthy call added 2 ns, it then added some 30 (CPU time of one thread, on a
//! busy 2-core cloud machine). [`Metrics::calls`] in addition writes twice a call to counters that all threads
//! share; where many cores make calls, that is the larger part.
//!
//! # The states
//!
//! `circuit_breaker.count` is what OpenTelemetry has for a state: one series for each, which goes up by one when a
//! breaker enters it and down by one when it leaves. So a breaker alone under its name reads 1 for its state
//! and 0 for the others, breakers that share a name add up (all hosts of a `keyed::Breakers`: three open, 997
//! closed), and nobody needs to know which number stands for which state. It is as the transitions leave it: an open
//! breaker whose time is over is counted as open until a call comes. Transitions that were missed leave it right
//! all the same.
//!
//! **A breaker that is dropped is counted no more.** Its series stay, and read 0 if it was the last: the facade has
//! no word for taking one away. An exporter's idle timeout is no help: a breaker holds on to its counters and
//! gauges, and those that an exporter has forgotten are gone for good. Leave it unset for them.

use core::mem;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use metrics::{Counter, Gauge, Unit, counter, gauge};

use crate::{
    Admitted, Breaker, CallListener, Ended, Listener, Outcome, Reason, Recorded, Rejected, State,
    Transition,
};

const NAME: &str = "circuit_breaker.name";
const COUNT: &str = "circuit_breaker.count";
const TRANSITIONS: &str = "circuit_breaker.transitions";
const MISSED: &str = "circuit_breaker.missed_transitions";
const REJECTIONS: &str = "circuit_breaker.rejections";
const STALE: &str = "circuit_breaker.stale_outcomes";
const ADMISSIONS: &str = "circuit_breaker.admissions";
const SUCCESSES: &str = "circuit_breaker.successes";

/// In the order in which `State` has them.
const STATES: [State; 5] = [
    State::Closed,
    State::Open,
    State::HalfOpen,
    State::ForcedOpen,
    State::Disabled,
];

/// In the order in which `Reason` has them.
const REASONS: [Reason; 3] = [Reason::Open, Reason::ProbesBusy, Reason::ForcedOpen];

/// Gives the installed recorder the unit and the description of each metric. Once is enough.
pub fn describe() {
    metrics::describe_gauge!(COUNT, Unit::Count, "The circuit breakers in each state.");
    let counters = [
        (TRANSITIONS, "Changes of a circuit breaker's state."),
        (MISSED, "Transitions that could not be told of."),
        (
            REJECTIONS,
            "Calls that a circuit breaker did not let through.",
        ),
        (
            STALE,
            "Calls that ended too late for their outcome to count.",
        ),
        (ADMISSIONS, "Calls that a circuit breaker let through."),
        (
            SUCCESSES,
            "Calls through a circuit breaker that ended well.",
        ),
    ];
    for (name, description) in counters {
        metrics::describe_counter!(name, Unit::Count, description);
    }
}

/// Counts what one breaker does. For the metrics see the [module](self).
///
/// With a breaker that is made at run time, after the recorder is installed:
///
/// ```
/// use cutout::{Breaker, metrics::Metrics};
///
/// let partner = Metrics::new().on(Breaker::builder().name("partner").build());
/// # partner.force_open();
/// ```
///
/// With one that is a `static`:
///
/// ```
/// use cutout::{Breaker, metrics::Metrics};
///
/// static METRICS: Metrics = Metrics::new().rejections();
/// static PARTNER: Breaker = Breaker::builder()
///     .name("partner")
///     .listeners(&[&METRICS])
///     .call_listener(&METRICS) // not for `Metrics::new()` alone
///     .build();
///
/// fn main() {
///     // install the recorder, then
///     METRICS.begin(&PARTNER);
/// }
/// ```
///
/// One of these belongs to one breaker.
#[derive(Debug)]
pub struct Metrics {
    detail: Detail,
    handles: OnceLock<Handles>,
    /// The state that the breaker is counted under.
    counted: Mutex<Option<State>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    Transitions,
    Rejections,
    Calls,
}

/// The metrics of one name, looked up once.
#[derive(Debug)]
struct Handles {
    states: [Gauge; 5],
    missed: Counter,
    stale: Counter,
    rejections: [Counter; 3],
    admissions: Counter,
    successes: Counter,
}

impl Metrics {
    /// Counts transitions, and the breaker under its state. Costs calls nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            detail: Detail::Transitions,
            handles: OnceLock::new(),
            counted: Mutex::new(None),
        }
    }

    /// Counts rejections and stale outcomes too. A healthy call touches no counter, but is told of, twice: it no
    /// longer takes the breaker's shortcut.
    #[must_use]
    pub const fn rejections(mut self) -> Self {
        self.detail = Detail::Rejections;
        self
    }

    /// Counts all calls too, on top of [`rejections`](Metrics::rejections): each writes to two counters that all
    /// threads share. A healthy breaker writes nothing; with this, cores wait for each other at every call. Where
    /// the partner's client counts its calls already, do without.
    #[must_use]
    pub const fn calls(mut self) -> Self {
        self.detail = Detail::Calls;
        self
    }

    /// Watches a breaker, until it is dropped.
    #[must_use]
    pub fn on(self, breaker: Breaker) -> Breaker {
        self.begin(&breaker);
        let metrics = Arc::new(self);
        let breaker = breaker.with_shared_listener(metrics.clone());
        if metrics.detail == Detail::Transitions {
            breaker
        } else {
            breaker.with_shared_call_listener(metrics)
        }
    }

    /// Counts a breaker under its state from now on, where this is a listener of it already. Call it once the
    /// recorder is installed; without it the breaker is counted from its first transition on.
    ///
    /// ```
    /// # use cutout::{Breaker, metrics::Metrics};
    /// static METRICS: Metrics = Metrics::new();
    /// static PARTNER: Breaker = Breaker::builder().listeners(&[&METRICS]).build();
    ///
    /// METRICS.begin(&PARTNER);
    /// ```
    pub fn begin(&self, breaker: &Breaker) {
        let now = breaker.snapshot();
        let handles = self.handles(now.name);
        let first = self.counted(|counted| {
            let first = counted.is_none();
            // A transition that was told already knows better than the snapshot.
            counted.get_or_insert(now.recorded);
            first
        });
        if first {
            handles.states[now.recorded as usize].increment(1.0);
        }
    }

    fn handles(&self, name: Option<&'static str>) -> &Handles {
        self.handles.get_or_init(|| Handles::of(name, self.detail))
    }

    /// Counts the breaker under this state, and no longer under the one before.
    fn count(&self, handles: &Handles, now: Option<State>) {
        let before = self.counted(|counted| mem::replace(counted, now));
        if let Some(state) = now {
            handles.states[state as usize].increment(1.0);
        }
        if let Some(state) = before {
            handles.states[state as usize].decrement(1.0);
        }
    }

    /// The exporter's code runs outside this lock.
    fn counted<R>(&self, f: impl FnOnce(&mut Option<State>) -> R) -> R {
        f(&mut self.counted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        if let Some(handles) = self.handles.get() {
            self.count(handles, None);
        }
    }
}

impl Handles {
    fn of(name: Option<&'static str>, detail: Detail) -> Self {
        let name = name.unwrap_or_default();
        let from = |least: Detail, counter: &dyn Fn() -> Counter| {
            if detail < least {
                Counter::noop()
            } else {
                counter()
            }
        };
        Self {
            states: STATES
                .map(|state| gauge!(COUNT, NAME => name, "circuit_breaker.state" => state.as_str())),
            missed: counter!(MISSED, NAME => name),
            rejections: REASONS.map(|reason| {
                from(Detail::Rejections, &|| {
                    counter!(REJECTIONS, NAME => name, "circuit_breaker.rejection.reason" => reason.as_str())
                })
            }),
            stale: from(Detail::Rejections, &|| counter!(STALE, NAME => name)),
            admissions: from(Detail::Calls, &|| counter!(ADMISSIONS, NAME => name)),
            successes: from(Detail::Calls, &|| counter!(SUCCESSES, NAME => name)),
        }
    }
}

impl Listener for Metrics {
    fn on_transition(&self, transition: &Transition) {
        let handles = self.handles(transition.name);
        self.count(handles, Some(transition.to));
        handles.missed.increment(transition.missed.into());
        // Looked up each time: there are many kinds and few transitions.
        counter!(
            TRANSITIONS,
            NAME => transition.name.unwrap_or_default(),
            "circuit_breaker.transition.from" => transition.from.as_str(),
            "circuit_breaker.transition.to" => transition.to.as_str(),
            "circuit_breaker.transition.cause" => transition.cause.as_str(),
        )
        .increment(1);
    }
}

impl CallListener for Metrics {
    fn on_admitted(&self, call: &Admitted) {
        self.handles(call.name).admissions.increment(1);
    }

    fn on_outcome(&self, ended: &Ended) {
        let handles = self.handles(ended.call.name);
        if ended.recorded == Recorded::Stale {
            handles.stale.increment(1);
        }
        if ended.outcome == Outcome::Success {
            handles.successes.increment(1);
        }
    }

    fn on_rejected(&self, rejected: &Rejected) {
        let handles = self.handles(rejected.name());
        handles.rejections[rejected.reason() as usize].increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_where_their_states_and_reasons_look_for_them() {
        for (place, state) in STATES.into_iter().enumerate() {
            assert_eq!(state as usize, place);
        }
        for (place, reason) in REASONS.into_iter().enumerate() {
            assert_eq!(reason as usize, place);
        }
    }
}

//! What a breaker does, as numbers through the `metrics` facade: [`Metrics`].
//!
//! | metric | kind | unit | labels | counts | from |
//! |---|---|---|---|---|---|
//! | `circuit_breaker.count` | gauge | `{breaker}` | name, `circuit_breaker.state` | the breakers in each state | [`Metrics::new`] |
//! | `circuit_breaker.transitions` | counter | `{transition}` | name, `circuit_breaker.transition.from`, `.to`, `.cause` | transitions | [`Metrics::new`] |
//! | `circuit_breaker.missed_transitions` | counter | `{transition}` | name | transitions that it was not notified of, and are not in the former | [`Metrics::new`] |
//! | `circuit_breaker.conflicts` | counter | `{transition}` | name | transitions that follow from no state that was counted: see [two breakers](#two-breakers) | [`Metrics::new`] |
//! | `circuit_breaker.rejections` | counter | `{call}` | name, `circuit_breaker.rejection.reason` | calls not let through | [`Metrics::rejections`] |
//! | `circuit_breaker.stale_outcomes` | counter | `{call}` | name | calls that ended too late to count | [`Metrics::rejections`] |
//! | `circuit_breaker.admissions` | counter | `{call}` | name | calls let through | [`Metrics::calls`] |
//! | `circuit_breaker.successes` | counter | `{call}` | name | calls that ended well, stale ones too | [`Metrics::calls`] |
//!
//! "name" is the label `circuit_breaker.name`: the breaker's, or empty if it has none; for the
//! [overflow breaker](#sets-of-breakers) of a set, the name and `-overflow`. The other labels'
//! values are those of [`State::as_str`], [`Cause::as_str`](crate::Cause::as_str) and
//! [`Reason::as_str`]. Names follow OpenTelemetry: the domain, not the library; dots between
//! namespaces, which Prometheus' exporter makes underscores. [`describe`] gives a recorder the
//! units and descriptions.
//!
//! # What it costs
//!
//! [`Metrics::new`] costs calls nothing, and a transition some lookups. The others are call
//! listeners, and take the shortcut from every call: where a healthy call added 2 ns, it then added
//! some 30 (CPU time of one thread, on a busy 2-core cloud machine). [`Metrics::calls`] in addition
//! writes twice a call to counters that all threads share; where many cores make calls, that is the
//! larger part.
//!
//! # Before there is a recorder
//!
//! What happens while no recorder is installed is counted nowhere. Counters count from when there
//! is one, and the gauge from the next transition or [`Metrics::begin`]: so install the recorder
//! first, or begin (again) after it. Counters and gauges are looked up once, with the first
//! recorder. (A recorder of no size, such as a unit struct, can't be told from none: counters are
//! then looked up at each use, and the gauge is not kept.)
//!
//! # Two breakers
//!
//! One [`Metrics`] belongs to one breaker; [`Metrics::on`] takes care of that. If a static one is
//! listener of several, those that differ in name are counted each under its own. Those of one name
//! can't be told apart: the counters add up, but `circuit_breaker.count` shows one breaker, in the
//! state that the last transition of any of them entered. `circuit_breaker.conflicts` then goes up,
//! as generations do not follow each other. It has to be 0.
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
//! They add up under their name. The overflow breaker, which is none of a key, is made in the same
//! way, but counted under a name of its own: here `hosts-overflow`; `overflow` if it has no name,
//! and its own name if that ends so already. A state other than closed there says that keys share a
//! breaker, and that they are cut off together.
//!
//! # The states
//!
//! `circuit_breaker.count` is what OpenTelemetry has for a state: one series for each, which goes
//! up by one when a breaker enters it and down by one when it leaves. So a breaker alone under its
//! name reads 1 for its state and 0 for the others, breakers that share a name add up (all hosts of
//! a `keyed::Breakers`: three open, 997 closed), and nobody needs to know which number stands for
//! which state. It is as the transitions leave it: an open breaker whose time is over is counted as
//! open until a call comes. Transitions that were missed leave it right all the same.
//!
//! **A breaker that is dropped is counted no more.** Its series stay, and read 0 if it was the
//! last: the facade has no word for taking one away. An exporter's idle timeout is no help: a
//! breaker holds on to its counters and gauges, and those that an exporter has forgotten are gone
//! for good. Leave it unset for them.

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
const REJECTIONS: &str = "circuit_breaker.rejections";
const STALE: &str = "circuit_breaker.stale_outcomes";
const ADMISSIONS: &str = "circuit_breaker.admissions";
const SUCCESSES: &str = "circuit_breaker.successes";

/// The end of the overflow breaker's name.
const OVERFLOW: &str = "overflow";
/// The most transitions that wait to be notified.
const MOST_WAITING: u16 = 16;

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
        (MISSED, "Transitions that listeners were not notified of."),
        (
            CONFLICTS,
            "Transitions of a second breaker that is counted as the first.",
        ),
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
/// One of these belongs to one breaker: for what holds otherwise, see [two
/// breakers](self#two-breakers).
#[derive(Debug)]
pub struct Metrics {
    detail: Detail,
    /// The breaker is the overflow breaker of a set.
    overflow: bool,
    named: OnceLock<Box<Named>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    Transitions,
    Rejections,
    Calls,
}

/// The breaker of one name: nearly always the only one.
#[derive(Debug)]
struct Named {
    name: Option<&'static str>,
    handles: Handles,
    /// What the breaker is counted under.
    counted: Mutex<Option<Counted>>,
    next: OnceLock<Box<Named>>,
}

/// A state that is counted.
#[derive(Clone, Copy, Debug)]
struct Counted {
    state: State,
    generation: u16,
    /// It was seen in a snapshot, so some transitions up to it may still be notified.
    seen: bool,
}

/// The metrics of one name, looked up once.
#[derive(Debug)]
struct Handles {
    states: [Gauge; 5],
    missed: Counter,
    conflicts: Counter,
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
            overflow: false,
            named: OnceLock::new(),
        }
    }

    /// Counts rejections and stale outcomes too. A healthy call touches no counter, but is told of,
    /// twice: it no longer takes the breaker's shortcut.
    #[must_use]
    pub const fn rejections(mut self) -> Self {
        self.detail = Detail::Rejections;
        self
    }

    /// Counts all calls too, on top of [`rejections`](Metrics::rejections): each writes to two
    /// counters that all threads share. A healthy breaker writes nothing; with this, cores wait for
    /// each other at every call. Where the partner's client counts its calls already, do without.
    #[must_use]
    pub const fn calls(mut self) -> Self {
        self.detail = Detail::Calls;
        self
    }

    /// Watches a breaker, until it is dropped.
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
        self.begin(&breaker);
        let metrics = Arc::new(self);
        let breaker = breaker.with_shared_listener(metrics.clone());
        if metrics.detail == Detail::Transitions {
            breaker
        } else {
            breaker.with_shared_call_listener(metrics)
        }
    }

    /// Counts a breaker under its state from now on, where this is a listener of it already. Call
    /// it once the recorder is installed; without it the breaker is counted from its first
    /// transition on.
    ///
    /// ```
    /// # use cutout::{Breaker, metrics::Metrics};
    /// static METRICS: Metrics = Metrics::new();
    /// static PARTNER: Breaker = Breaker::builder().listeners(&[&METRICS]).build();
    ///
    /// METRICS.begin(&PARTNER);
    /// ```
    pub fn begin(&self, breaker: &Breaker) {
        let Some(named) = self.named(breaker.snapshot().name) else {
            return;
        };
        // After the recorder was found: what it was not notified of is in this.
        named.begin(&breaker.snapshot());
    }

    /// The breaker of this name; `None` if it is a new one and there is no recorder to look its
    /// metrics up in.
    fn named(&self, name: Option<&'static str>) -> Option<&Named> {
        let mut next = &self.named;
        loop {
            let named = match next.get() {
                Some(named) => named,
                None if is_installed() => {
                    // The exporter's code is not to run in the lock's own.
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
            handles: self.look_up(name),
            counted: Mutex::new(None),
            next: OnceLock::new(),
        }
    }

    /// Uses the metrics of a name, which are looked up each time while that may find none.
    fn with<R>(&self, name: Option<&'static str>, r#use: impl FnOnce(&Handles) -> R) -> R {
        match self.named(name) {
            Some(named) => r#use(&named.handles),
            None => r#use(&self.look_up(name)),
        }
    }

    fn look_up(&self, name: Option<&'static str>) -> Handles {
        Handles::of(&self.label(name), self.detail)
    }

    /// The value of the label `NAME`.
    fn label(&self, name: Option<&'static str>) -> SharedString {
        let name = name.unwrap_or_default();
        match name {
            name if !self.overflow || name.ends_with(OVERFLOW) => name.into(),
            "" => OVERFLOW.into(),
            name => format!("{name}-{OVERFLOW}").into(),
        }
    }
}

/// Whether there is a recorder. The one in place of none has no size.
fn is_installed() -> bool {
    metrics::with_recorder(|recorder| size_of_val(recorder) > 0)
}

impl Named {
    /// Counts the breaker under the state that a snapshot shows, unless a transition knows better.
    fn begin(&self, now: &Snapshot) {
        let first = self.counted(|counted| {
            let first = counted.is_none();
            counted.get_or_insert(Counted {
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

    /// Counts the breaker under the state that a transition entered, and no longer under the one
    /// before.
    fn follow(&self, transition: &Transition) {
        let now = Counted {
            state: transition.to,
            generation: transition.generation,
            seen: false,
        };
        let before = self.count(Some(now));
        if before.is_some_and(|before| !before.is_followed_by(transition)) {
            self.handles.conflicts.increment(1);
        }
    }

    fn count(&self, now: Option<Counted>) -> Option<Counted> {
        let before = self.counted(|counted| mem::replace(counted, now));
        if let Some(now) = now {
            self.handles.states[now.state as usize].increment(1.0);
        }
        if let Some(before) = before {
            self.handles.states[before.state as usize].decrement(1.0);
        }
        before
    }

    /// The exporter's code runs outside this lock.
    fn counted<R>(&self, f: impl FnOnce(&mut Option<Counted>) -> R) -> R {
        f(&mut self.counted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Counted {
    /// Whether a transition of the same breaker can be the next one to be notified.
    fn is_followed_by(self, transition: &Transition) -> bool {
        let further = transition.generation.wrapping_sub(self.generation);
        let waited = 0_u16.wrapping_sub(further);
        u32::from(further) == (transition.missed.wrapping_add(1)) % (1 << 16)
            || self.seen && waited <= MOST_WAITING
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
    fn of(name: &SharedString, detail: Detail) -> Self {
        let name = || name.clone();
        let from = |least: Detail, counter: &dyn Fn() -> Counter| {
            if detail < least {
                Counter::noop()
            } else {
                counter()
            }
        };
        Self {
            states: STATES
                .map(|state| gauge!(COUNT, NAME => name(), "circuit_breaker.state" => state.as_str())),
            missed: counter!(MISSED, NAME => name()),
            conflicts: counter!(CONFLICTS, NAME => name()),
            rejections: REASONS.map(|reason| {
                from(Detail::Rejections, &|| {
                    counter!(REJECTIONS, NAME => name(), "circuit_breaker.rejection.reason" => reason.as_str())
                })
            }),
            stale: from(Detail::Rejections, &|| counter!(STALE, NAME => name())),
            admissions: from(Detail::Calls, &|| counter!(ADMISSIONS, NAME => name())),
            successes: from(Detail::Calls, &|| counter!(SUCCESSES, NAME => name())),
        }
    }
}

impl Listener for Metrics {
    fn on_transition(&self, transition: &Transition) {
        let name = transition.name;
        if let Some(named) = self.named(name) {
            named.follow(transition);
        }
        self.with(name, |handles| {
            handles.missed.increment(transition.missed.into());
        });
        // Looked up each time: there are many kinds and few transitions.
        counter!(
            TRANSITIONS,
            NAME => self.label(name),
            "circuit_breaker.transition.from" => transition.from.as_str(),
            "circuit_breaker.transition.to" => transition.to.as_str(),
            "circuit_breaker.transition.cause" => transition.cause.as_str(),
        )
        .increment(1);
    }
}

impl CallListener for Metrics {
    fn on_admitted(&self, call: &Admitted) {
        if self.detail == Detail::Calls {
            self.with(call.name, |handles| handles.admissions.increment(1));
        }
    }

    fn on_outcome(&self, ended: &Ended) {
        let stale = ended.recorded == Recorded::Stale;
        let success = self.detail == Detail::Calls && ended.outcome == Outcome::Success;
        if stale || success {
            self.with(ended.call.name, |handles| {
                if stale {
                    handles.stale.increment(1);
                }
                if success {
                    handles.successes.increment(1);
                }
            });
        }
    }

    fn on_rejected(&self, rejected: &Rejected) {
        self.with(rejected.name(), |handles| {
            handles.rejections[rejected.reason() as usize].increment(1);
        });
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

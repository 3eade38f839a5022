//! [`Events`]: transitions and rejections as `tracing` events.
//!
//! | event | level | message | fields |
//! |---|---|---|---|
//! | a trip or a reopen | `WARN` | `circuit breaker closed to open`, with its states | those of a transition |
//! | any other transition | `INFO` | the same | those of a transition |
//! | a rejection | `DEBUG` | `circuit breaker rejected a call` | those of a rejection |
//!
//! The target is `cutout`. The fields follow OpenTelemetry's names of attributes: the domain, not
//! the library. A field without a value is left out.
//!
//! | field | of | meaning |
//! |---|---|---|
//! | `circuit_breaker.name` | both | the breaker's name |
//! | `circuit_breaker.generation` | both | the period that began; the one that rejected |
//! | `circuit_breaker.transition.from`, `.to` | transition | `closed`, `open`, `half-open`, `forced-open`, `disabled` |
//! | `circuit_breaker.transition.cause` | transition | `tripped`, `probe-admitted`, `probe-failed`, `lease-expired`, `recovered`, `operator` |
//! | `circuit_breaker.transition.failures`, `.calls` | a trip | the failures that tripped, and the calls that include them |
//! | `circuit_breaker.transition.reopens` | transition | the number of reopens since the breaker was last closed |
//! | `circuit_breaker.transition.open_for` | into open | the length of the open period, in seconds |
//! | `circuit_breaker.transition.missed` | transition, if not 0 | the number of earlier transitions that were dropped from the queue |
//! | `circuit_breaker.rejection.reason` | rejection | `open`, `probes-busy`, `forced-open` |
//! | `circuit_breaker.rejection.retry_after` | rejection, while open | the remainder of the open period, in seconds |

use tracing::{debug, info, warn};

use crate::{Cause, Listener, Rejected, Transition};

const TARGET: &str = "cutout";

/// A [`Listener`] that emits a `tracing` event for each transition and each rejection. The
/// [module](self) documents the fields. Adds no cost to a healthy call.
///
/// An event is emitted in the span of the call that made the transition, or that was rejected. If
/// transitions come at once, a call may emit the events of other calls, too. An open breaker can
/// reject many calls; their events have the level `DEBUG`, so that a filter can leave them out.
///
/// ```
/// use cutout::{Breaker, tracing::Events};
///
/// static BILLING: Breaker = Breaker::builder()
///     .name("billing")
///     .listeners(&[&Events])
///     .build();
///
/// BILLING.force_open();
/// // INFO cutout: circuit breaker closed to forced-open circuit_breaker.name="billing" ...
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Events;

/// Emits one event. `$level` is a macro, since a level must be known at compile time.
macro_rules! transition {
    ($level:ident, $transition:expr) => {{
        let Transition { name, from, to, generation, cause, failures, calls, reopens, open_for, missed } =
            $transition;
        $level!(
            target: TARGET,
            {
            circuit_breaker.name = name,
            circuit_breaker.generation = generation,
            circuit_breaker.transition.from = from.as_str(),
            circuit_breaker.transition.to = to.as_str(),
            circuit_breaker.transition.cause = cause.as_str(),
            circuit_breaker.transition.failures = failures,
            circuit_breaker.transition.calls = calls,
            circuit_breaker.transition.reopens = reopens,
            circuit_breaker.transition.open_for = open_for.map(|time| time.as_secs_f64()),
            circuit_breaker.transition.missed = (*missed > 0).then_some(*missed),
            },
            "circuit breaker {from} to {to}",
        );
    }};
}

impl Listener for Events {
    fn on_transition(&self, transition: &Transition) {
        match transition.cause {
            Cause::Tripped | Cause::ProbeFailed | Cause::LeaseExpired => {
                transition!(warn, transition);
            }
            Cause::ProbeAdmitted | Cause::Recovered | Cause::Operator => {
                transition!(info, transition);
            }
        }
    }

    fn on_rejected(&self, rejected: &Rejected) {
        debug!(
            target: TARGET,
            {
                circuit_breaker.name = rejected.name(),
                circuit_breaker.generation = rejected.generation(),
                circuit_breaker.rejection.reason = rejected.reason().as_str(),
                circuit_breaker.rejection.retry_after =
                    rejected.retry_after().map(|time| time.as_secs_f64()),
            },
            "circuit breaker rejected a call",
        );
    }
}

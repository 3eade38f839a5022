//! What a breaker does, as `tracing` events: [`Events`].
//!
//! | event | level | message | fields |
//! |---|---|---|---|
//! | it trips or reopens | `WARN` | `circuit breaker closed to open`, with its states | those of a transition |
//! | any other transition | `INFO` | the same | those of a transition |
//! | a rejection | `DEBUG` | `circuit breaker rejected a call` | those of a rejection |
//!
//! The target is `cutout`. The fields are named as OpenTelemetry names attributes: by the domain, not by the
//! library. What there is not, is left out.
//!
//! | field | of | what it is |
//! |---|---|---|
//! | `circuit_breaker.name` | both | the breaker's name |
//! | `circuit_breaker.generation` | both | the period that began; the one that rejected |
//! | `circuit_breaker.transition.from`, `.to` | transition | `closed`, `open`, `half-open`, `forced-open`, `disabled` |
//! | `circuit_breaker.transition.cause` | transition | `tripped`, `probe-admitted`, `probe-failed`, `lease-expired`, `recovered`, `operator` |
//! | `circuit_breaker.transition.failures`, `.calls` | a trip | the failures that tripped it, and the calls that they were among |
//! | `circuit_breaker.transition.reopens` | transition | how often it has reopened since it was last closed |
//! | `circuit_breaker.transition.open_for` | into open | the length of the open period, in seconds |
//! | `circuit_breaker.transition.missed` | transition, if not 0 | how many transitions before it were not told of |
//! | `circuit_breaker.rejection.reason` | rejection | `open`, `probes-busy`, `forced-open` |
//! | `circuit_breaker.rejection.retry_after` | rejection, while open | the rest of the open period, in seconds |

use tracing::{debug, info, warn};

use crate::{CallListener, Cause, Listener, Rejected, Transition};

const TARGET: &str = "cutout";

/// Tells `tracing` of transitions, as a [`Listener`], and of rejections, as a [`CallListener`]: set it as one of
/// them, or as both. For its fields see the [module](self).
///
/// Events are made in the span of the call that made the transition, or was rejected; of transitions that come at
/// once, one call may tell of others' too. A listener costs healthy calls nothing; a call listener takes the
/// shortcut from every call, whoever listens.
///
/// ```
/// use cutout::{Breaker, tracing::Events};
///
/// static PARTNER: Breaker = Breaker::builder()
///     .name("partner")
///     .listeners(&[&Events])
///     .call_listener(&Events) // rejections: costs every call something
///     .build();
///
/// PARTNER.force_open();
/// // INFO cutout: circuit breaker closed to forced-open circuit_breaker.name="partner" ...
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Events;

/// One event, at a level that is known only at run time.
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
}

impl CallListener for Events {
    fn on_rejected(&self, rejected: &Rejected) {
        debug!(
            target: TARGET,
            {
                circuit_breaker.name = rejected.name(),
                circuit_breaker.generation = rejected.generation(),
                circuit_breaker.rejection.reason = rejected.reason().as_str(),
                circuit_breaker.rejection.retry_after =
                    rejected.retry_after().map(|rest| rest.as_secs_f64()),
            },
            "circuit breaker rejected a call",
        );
    }
}

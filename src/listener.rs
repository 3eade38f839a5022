//! Who wants to know: transitions, and single calls.

use core::time::Duration;

use crate::{
    Outcome, Recorded, Rejected,
    machine::{step::Cause, word::State},
};

/// A change of a breaker's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transition {
    /// The breaker's name, if it has one.
    pub name: Option<&'static str>,
    /// The state that was left.
    pub from: State,
    /// The state that was entered.
    pub to: State,
    /// The number of the period that began: one more than that of the period before it, wrapping.
    pub generation: u16,
    /// Why.
    pub cause: Cause,
    /// The failures that the trip counted, where the cause is a trip: those in the window, or in a row; in a
    /// window beside the word up to as many as trip.
    pub failures: Option<u32>,
    /// The calls that these failures were among.
    pub calls: Option<u32>,
    /// How often the breaker has reopened since it was last closed.
    pub reopens: u8,
    /// The length of the open period that began, jitter included.
    pub open_for: Option<Duration>,
    /// How many transitions before this one could not be told of: more than 16 were waiting.
    pub missed: u32,
}

/// Is told of transitions.
///
/// Called on the thread that made the transition, or on one that was telling already, after the
/// transition and outside any lock; for one breaker never by two threads at once, and in the order of
/// the generations. It may use the breaker: a transition that it makes is told after it returns. At most
/// 16 transitions wait; beyond that the oldest are dropped and the next one says how many were
/// [`missed`](Transition::missed). A panic in a listener goes no farther.
///
/// Closures are listeners:
///
/// ```
/// use cutout::{Breaker, Listener, Transition};
///
/// static LOG: fn(&Transition) = |t| println!("{} to {}, {:?}", t.from, t.to, t.cause);
/// static PARTNER: Breaker = Breaker::builder().listeners(&[&LOG]).build();
///
/// PARTNER.force_open(); // closed to forced-open, Operator
/// ```
#[cfg(feature = "std")]
pub trait Listener: Send + Sync {
    /// Told once of each transition.
    fn on_transition(&self, transition: &Transition);
}

#[cfg(feature = "std")]
impl<F: Fn(&Transition) + Send + Sync> Listener for F {
    fn on_transition(&self, transition: &Transition) {
        self(transition);
    }
}

/// Is told of every call. Apart from [`Listener`], because this costs every call something.
///
/// Called on the thread of the call, outside any lock. A panic in one goes no farther (with `std`).
///
/// ```
/// use cutout::{Breaker, CallListener, Ended};
///
/// struct Log;
///
/// impl CallListener for Log {
///     fn on_outcome(&self, ended: &Ended) {
///         println!("{:?}, which was {:?}", ended.outcome, ended.recorded);
///     }
/// }
///
/// static PARTNER: Breaker = Breaker::builder().call_listener(&Log).build();
/// PARTNER.call(|| Ok::<_, ()>(7)).unwrap(); // Success, which was Applied
/// ```
pub trait CallListener: Send + Sync {
    /// A call was let through and is about to be made. Comes after the transition that let it through as
    /// a probe, if it did.
    fn on_admitted(&self, call: &Admitted) {
        let _ = call;
    }

    /// A call that was let through has ended. Comes before the transition that it caused, if any.
    fn on_outcome(&self, ended: &Ended) {
        let _ = ended;
    }

    /// A call was not let through.
    fn on_rejected(&self, rejected: &Rejected) {
        let _ = rejected;
    }
}

/// A call that was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Admitted {
    /// The breaker's name, if it has one.
    pub name: Option<&'static str>,
    /// The period that it was let through in.
    pub generation: u16,
    /// Whether it is a probe.
    pub probe: bool,
}

/// A call that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    /// The call.
    pub call: Admitted,
    /// How it ended, as the breaker sees it: a slow success is a failure here.
    pub outcome: Outcome,
    /// What became of that.
    pub recorded: Recorded,
}

/// Runs what a user gave us so that its panic goes no farther.
pub(crate) fn contained(told: impl FnOnce()) {
    #[cfg(feature = "std")]
    {
        use std::panic::{AssertUnwindSafe, catch_unwind};
        // The panic hook has reported it; there is nobody to hand it on to. What was thrown may itself
        // panic when it is dropped, and what that throws is better leaked than asked a third time.
        if let Err(thrown) = catch_unwind(AssertUnwindSafe(told))
            && let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(thrown)))
        {
            core::mem::forget(again);
        }
    }
    #[cfg(not(feature = "std"))]
    told();
}

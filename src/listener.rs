//! Listener traits: one for all events except healthy calls, one for every call.

use core::time::Duration;

use crate::{
    Outcome, Recorded, Rejected,
    machine::{step::Cause, word::State},
};

/// Description of a change of a breaker's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transition {
    /// The breaker's name, if it has one.
    pub name: Option<&'static str>,
    /// The state that was left.
    pub from: State,
    /// The state that was entered.
    pub to: State,
    /// The number of the period that began: the previous number plus one, wrapping.
    pub generation: u16,
    /// The cause of the transition.
    pub cause: Cause,
    /// For a trip, the number of failures: those in the window, or in a row. An external window
    /// (see [`Trip`](crate::Trip)) reports at most the number that trips.
    pub failures: Option<u32>,
    /// For a trip, the number of calls that include these failures.
    pub calls: Option<u32>,
    /// The number of reopens since the breaker was last closed.
    pub reopens: u8,
    /// The length of the open period that began, jitter included.
    pub open_for: Option<Duration>,
    /// The number of transitions before this one that were dropped from the queue, which holds 16.
    pub missed: u32,
}

/// Receives transitions, rejections, failures and stale outcomes: every event except those of a
/// healthy call. A listener adds no cost to a healthy call.
///
/// [`on_transition`](Listener::on_transition) is called after the transition, outside any lock. The
/// thread that calls it made the transition, or was already notifying listeners of an earlier one.
/// Transitions of one breaker are never delivered by two threads at the same time, and come in
/// order of generation. A listener may use the breaker. A transition that it makes is delivered
/// after it returns. The queue holds 16 transitions. When it is full, the oldest transitions are
/// dropped, and the next one delivered says how many were [`missed`](Transition::missed).
///
/// The other methods are called on the thread of the call, outside any lock, and by any number of
/// threads at the same time. An open breaker can reject many calls: keep
/// [`on_rejected`](Listener::on_rejected) short. A listener is also notified of the calls that the
/// listener makes through the breaker: do not call the breaker at each rejection without end.
///
/// A panic in a listener is caught.
///
/// Closures are listeners of transitions:
///
/// ```
/// use cutout::{Breaker, Listener, Transition};
///
/// static LOG: fn(&Transition) = |t| println!("{} to {}, {:?}", t.from, t.to, t.cause);
/// static BILLING: Breaker = Breaker::builder().listeners(&[&LOG]).build();
///
/// BILLING.force_open(); // closed to forced-open, Operator
/// ```
///
/// A counter of rejected calls:
///
/// ```
/// use cutout::{Breaker, Listener, Rejected, Transition};
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// struct Rejections(AtomicU64);
///
/// impl Listener for Rejections {
///     fn on_transition(&self, _: &Transition) {}
///
///     fn on_rejected(&self, _: &Rejected) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// static REJECTIONS: Rejections = Rejections(AtomicU64::new(0));
/// static BILLING: Breaker = Breaker::builder().listeners(&[&REJECTIONS]).build();
///
/// BILLING.force_open();
/// BILLING.call(|| Ok::<_, ()>(7)).unwrap_err();
/// assert_eq!(REJECTIONS.0.load(Ordering::Relaxed), 1);
/// ```
#[cfg(feature = "std")]
pub trait Listener: Send + Sync {
    /// Called once for each transition.
    fn on_transition(&self, transition: &Transition);

    /// Called when a call was rejected. If the rejection caused a transition, that transition comes
    /// first.
    fn on_rejected(&self, rejected: &Rejected) {
        let _ = rejected;
    }

    /// Called when an admitted call has failed, before the transition that its outcome caused, if
    /// any. The failure may be stale: see [`Ended::recorded`].
    fn on_failure(&self, ended: &Ended) {
        let _ = ended;
    }

    /// Called when an admitted call has not failed, but ended too late for its outcome to count.
    fn on_stale(&self, ended: &Ended) {
        let _ = ended;
    }
}

#[cfg(feature = "std")]
impl<F: Fn(&Transition) + Send + Sync> Listener for F {
    fn on_transition(&self, transition: &Transition) {
        self(transition);
    }
}

/// Receives every call. Separate from [`Listener`], since a call listener takes every call off the
/// fast path. For rejections and failures alone, use a [`Listener`]; for the numbers of calls,
/// [`Builder::count_calls`](crate::Builder::count_calls).
///
/// A call listener is called on the thread of the call, outside any lock. With `std`, a panic in a
/// call listener is caught.
///
/// ```
/// use cutout::{Breaker, CallListener, Ended};
///
/// struct Log;
///
/// impl CallListener for Log {
///     fn on_outcome(&self, ended: &Ended) {
///         println!("{:?}: {:?}", ended.outcome, ended.recorded);
///     }
/// }
///
/// static BILLING: Breaker = Breaker::builder().call_listener(&Log).build();
/// BILLING.call(|| Ok::<_, ()>(7)).unwrap(); // Success: Applied
/// ```
pub trait CallListener: Send + Sync {
    /// Called when a call was admitted, before it is made. If the call is a probe that caused a
    /// transition, that transition comes first.
    fn on_admitted(&self, call: &Admitted) {
        let _ = call;
    }

    /// Called when an admitted call has ended, before the transition that its outcome caused, if
    /// any.
    fn on_outcome(&self, ended: &Ended) {
        let _ = ended;
    }

    /// Called when a call was rejected.
    fn on_rejected(&self, rejected: &Rejected) {
        let _ = rejected;
    }
}

/// Description of an admitted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Admitted {
    /// The breaker's name, if it has one.
    pub name: Option<&'static str>,
    /// The period in which the call was admitted.
    pub generation: u16,
    /// True if the call is a probe.
    pub probe: bool,
}

/// Description of a call that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    /// The call.
    pub call: Admitted,
    /// The outcome as the breaker counts it: a slow success is a failure.
    pub outcome: Outcome,
    /// The effect of the outcome on the breaker.
    pub recorded: Recorded,
}

/// Runs a user's listener and catches its panic.
pub(crate) fn catch_panic(notify: impl FnOnce()) {
    #[cfg(feature = "std")]
    {
        use std::panic::{AssertUnwindSafe, catch_unwind};
        // The panic hook has already reported the panic. Dropping the payload may panic again: leak
        // the second payload rather than risk a third panic.
        if let Err(thrown) = catch_unwind(AssertUnwindSafe(notify))
            && let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(thrown)))
        {
            core::mem::forget(again);
        }
    }
    #[cfg(not(feature = "std"))]
    notify();
}

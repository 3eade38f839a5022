//! Notification: records a transition and notifies the listeners.

use crate::{
    Ended, Outcome, Recorded, Rejected,
    listener::{CallListener, catch_panic},
    machine::{
        core::Done,
        step::{Event, trip_count},
        trip::Count,
        word::{Period, Word},
    },
};

#[cfg(feature = "std")]
use crate::machine::step::RawTransition;

use super::Breaker;

impl Breaker {
    /// Performs the consequences of an operation, if that ended a period.
    #[inline]
    pub(super) fn notify<V>(&self, done: &Done<V>, event: Event) {
        // An operation that can make a transition has read the clock.
        if let Some(now) = done.now
            && done.is_transition()
        {
            self.notify_slow(done.before, done.after, event, now, done.counted);
        }
    }

    /// Performs the consequences of a transition at `now`. `counted` are the counts of a trip, if
    /// its step knows them.
    ///
    /// All that most transitions to half-open or closed need is done here, in few registers.
    #[cold]
    fn notify_slow(
        &self,
        before: Word,
        after: Word,
        event: Event,
        now: u64,
        counted: Option<Count>,
    ) {
        let newest = || self.core.load().generation();
        self.cold
            .diagnostics
            .write_start(after.generation(), now, newest);
        let may_admit = after.is_closed() || after.period().is_half_open();
        if !may_admit || self.has_watcher_or_listener() {
            self.notify_rest(before, after, event, now, counted);
        }
    }

    /// Whether a transition may be waited for, or heard.
    #[inline]
    fn has_watcher_or_listener(&self) -> bool {
        #[cfg(feature = "std")]
        return cfg!(feature = "watch") || !self.cold.listeners.is_empty();
        #[cfg(not(feature = "std"))]
        {
            let _ = self;
            false
        }
    }

    #[inline(never)]
    fn notify_rest(
        &self,
        before: Word,
        after: Word,
        event: Event,
        now: u64,
        counted: Option<Count>,
    ) {
        let newest = || self.core.load().generation();
        let write = || {
            if after.is_open() {
                let trip = trip_count(before, event, counted, &self.core.rules);
                self.cold
                    .diagnostics
                    .write_counts(after.generation(), event, trip, newest);
            }
        };
        // Numbers the name, so that a rejection finds the number and allocates nothing.
        let _ = self.cold.name.id();
        // Before the listeners, which may be slow.
        #[cfg(feature = "watch")]
        self.cold.event_count.notify_after(write);
        #[cfg(not(feature = "watch"))]
        write();
        #[cfg(feature = "std")]
        if !self.cold.listeners.is_empty() {
            let rules = &self.core.rules;
            let change = RawTransition::between(before, after, event, now, counted, rules);
            self.cold
                .listeners
                .notify(newest, change, self.cold.name.text());
        }
        #[cfg(not(feature = "std"))]
        let _ = now;
    }

    /// Notifies the listeners of a rejection.
    #[inline]
    pub(super) fn notify_of_rejection(&self, rejected: Rejected) {
        #[cfg(feature = "std")]
        if !self.cold.listeners.is_empty() {
            self.cold
                .listeners
                .each(|listener| listener.on_rejected(&rejected));
        }
        #[cfg(not(feature = "std"))]
        let _ = (self, rejected);
    }

    /// Notifies listeners of a failure and of a stale outcome, and call listeners of any outcome. A
    /// breaker with a call listener passes `is_observed`; without it, other outcomes are skipped.
    #[inline]
    pub(super) fn notify_of_outcome(
        &self,
        period: Period,
        outcome: Outcome,
        recorded: Recorded,
        is_observed: bool,
    ) {
        let is_for_listeners = outcome.is_failure() || recorded == Recorded::Stale;
        if (is_for_listeners || is_observed) && self.has_listener() {
            self.notify_of_outcome_slow(period, outcome, recorded);
        }
    }

    #[cold]
    fn notify_of_outcome_slow(&self, period: Period, outcome: Outcome, recorded: Recorded) {
        let ended = Ended {
            call: self.admitted(period),
            outcome,
            recorded,
        };
        self.notify_of_call(|listener| listener.on_outcome(&ended));
        #[cfg(feature = "std")]
        if outcome.is_failure() {
            self.cold
                .listeners
                .each(|listener| listener.on_failure(&ended));
        } else if recorded == Recorded::Stale {
            self.cold
                .listeners
                .each(|listener| listener.on_stale(&ended));
        }
    }

    /// Whether there is a listener of any kind.
    #[inline]
    fn has_listener(&self) -> bool {
        #[cfg(feature = "std")]
        let has_listener = !self.cold.listeners.is_empty();
        #[cfg(not(feature = "std"))]
        let has_listener = false;
        has_listener || self.cold.call_listener.is_some()
    }

    /// Notifies every call listener.
    pub(super) fn notify_of_call(&self, call: impl Fn(&dyn CallListener)) {
        if let Some(listener) = self.cold.call_listener {
            catch_panic(|| call(listener));
        }
        #[cfg(feature = "std")]
        for listener in self.cold.listeners.call_listeners() {
            catch_panic(|| call(&**listener));
        }
    }
}

#[cfg(feature = "std")]
pub(super) use listeners::Listeners;

#[cfg(feature = "std")]
mod listeners {
    use core::{fmt, time::Duration};
    use std::sync::Arc;

    use crate::{
        Transition,
        breaker::per_process::PerProcess,
        listener::{CallListener, Listener, catch_panic},
        machine::{
            step::RawTransition,
            transition_queue::{QueuedTransition, TransitionQueue},
        },
    };

    /// The generation of a breaker's first transition.
    const FIRST: u16 = 1;

    /// The listeners of a breaker, and the queue of their transitions.
    pub(in crate::breaker) struct Listeners {
        fixed: &'static [&'static dyn Listener],
        shared: Option<Box<Shared>>,
        /// Allocated for the first transition.
        queue: PerProcess<TransitionQueue>,
    }

    /// The listeners that were added at run time.
    struct Shared {
        /// The generation of the first transition that the listeners are notified of.
        first: u16,
        listeners: Vec<Arc<dyn Listener>>,
        call_listeners: Vec<Arc<dyn CallListener>>,
    }

    impl Listeners {
        pub(in crate::breaker) const fn new(fixed: &'static [&'static dyn Listener]) -> Self {
            Self {
                fixed,
                shared: None,
                queue: PerProcess::new(),
            }
        }

        /// Whether no listener is fixed, and no listener or call listener was added at run time.
        #[inline]
        pub(super) fn is_empty(&self) -> bool {
            self.fixed.is_empty() && self.shared.is_none()
        }

        /// Notifies each listener.
        #[cold]
        pub(super) fn each(&self, notify: impl Fn(&dyn Listener)) {
            let shared = self.shared().iter().map(|shared| &**shared);
            for listener in self.fixed.iter().copied().chain(shared) {
                catch_panic(|| notify(listener));
            }
        }

        /// Adds a listener to a breaker at `generation` that no other thread uses.
        pub(in crate::breaker) fn add(&mut self, listener: Arc<dyn Listener>, generation: u16) {
            let is_made = self.queue.is_made();
            let shared = self.shared_mut();
            // Most breakers have one listener, and a keyed set has many breakers.
            shared.listeners.reserve_exact(1);
            shared.listeners.push(listener);
            if !is_made {
                shared.first = generation.wrapping_add(1);
            }
        }

        /// Adds a call listener to a breaker that no other thread uses.
        pub(in crate::breaker) fn add_to_calls(&mut self, listener: Arc<dyn CallListener>) {
            self.shared_mut().call_listeners.push(listener);
        }

        fn shared_mut(&mut self) -> &mut Shared {
            self.shared.get_or_insert_with(|| {
                Box::new(Shared {
                    first: FIRST,
                    listeners: Vec::new(),
                    call_listeners: Vec::new(),
                })
            })
        }

        fn first(&self) -> u16 {
            self.shared.as_ref().map_or(FIRST, |shared| shared.first)
        }

        fn shared(&self) -> &[Arc<dyn Listener>] {
            self.shared.as_ref().map_or(&[], |shared| &shared.listeners)
        }

        pub(super) fn call_listeners(&self) -> &[Arc<dyn CallListener>] {
            let shared = self.shared.as_ref();
            shared.map_or(&[], |shared| &shared.call_listeners)
        }

        /// Queues a transition, and delivers the queue unless a dispatcher is already at work. The
        /// dispatcher is another thread or, in a transition of a listener, a caller on this thread.
        pub(super) fn notify(
            &self,
            newest: impl Fn() -> u16,
            change: RawTransition,
            name: Option<&'static str>,
        ) {
            if self.fixed.is_empty() && self.shared().is_empty() {
                return;
            }
            // Any notifying thread may allocate the queue: all agree on its first generation.
            let queue = self.queue.get_or_make(|parent| match parent {
                Some(parent) => parent.in_child(change.generation),
                None => TransitionQueue::from(self.first()),
            });
            if !queue.push(change, newest) {
                return;
            }
            while let Some(queued) = queue.pop() {
                let transition = transition(queued, name);
                self.each(|listener| listener.on_transition(&transition));
            }
        }
    }

    fn transition(
        QueuedTransition { change, missed }: QueuedTransition,
        name: Option<&'static str>,
    ) -> Transition {
        Transition {
            name,
            from: change.from,
            to: change.to,
            generation: change.generation,
            cause: change.cause,
            failures: change.count.map(|count| count.failures),
            calls: change.count.map(|count| count.calls),
            reopens: change.reopens,
            open_for: change.open_ms.map(Duration::from_millis),
            missed,
        }
    }

    impl fmt::Debug for Listeners {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Listeners")
                .field("listeners", &(self.fixed.len() + self.shared().len()))
                .finish_non_exhaustive()
        }
    }
}

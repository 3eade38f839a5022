//! Waiting for a transition, on a thread of one's own.

use core::sync::atomic::{AtomicBool, Ordering};

use super::{Breaker, Snapshot};

/// What ended a [`Breaker::watch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Watched {
    /// The breaker, after the transition.
    pub snapshot: Snapshot,
    /// How many transitions came between the generation that was waited on and this one, unseen.
    pub missed: u16,
}

/// Tells threads that [`watch`](Breaker::watch) to stop: [`Breaker::stop_watching`].
#[derive(Debug, Default)]
pub struct StopWatching(AtomicBool);

impl StopWatching {
    /// Nobody has been told to stop yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }
}

impl Breaker {
    /// Waits, blocking the thread, until the breaker is no longer in the period of generation `since`; `None`, at
    /// once or later, if told to [stop](Breaker::stop_watching).
    ///
    /// It returns at once if that period is over already, so no transition is missed without a notice: those that
    /// came between are counted in [`missed`](Watched::missed). (Exactly 65 536 of them, or a multiple, look
    /// like none.) An open breaker whose deadline passes makes no transition: the next call does.
    ///
    /// Any number of threads may wait. They cost a call nothing, and a transition a system call. Nobody
    /// polls: the thread sleeps.
    ///
    /// ```
    /// use cutout::{Breaker, State, StopWatching};
    /// use std::thread;
    ///
    /// static PARTNER: Breaker = Breaker::new();
    /// static STOP: StopWatching = StopWatching::new();
    ///
    /// let mut generation = PARTNER.snapshot().generation;
    /// let watcher = thread::spawn(move || {
    ///     while let Some(watched) = PARTNER.watch(generation, &STOP) {
    ///         generation = watched.snapshot.generation;
    ///         println!("{}, {} missed", watched.snapshot.state, watched.missed);
    ///     }
    /// });
    /// PARTNER.force_open(); // forced-open, 0 missed
    /// PARTNER.stop_watching(&STOP);
    /// watcher.join().unwrap();
    /// ```
    ///
    /// In async code a listener and a channel do the same, without a thread:
    ///
    /// ```
    /// use cutout::{Breaker, State, Transition};
    /// use std::sync::Arc;
    /// use tokio::sync::watch;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (sender, mut states) = watch::channel(State::Closed);
    /// let partner = Breaker::new().with_shared_listener(Arc::new(move |transition: &Transition| {
    ///     sender.send_replace(transition.to);
    /// }));
    /// partner.force_open();
    /// states.changed().await.unwrap();
    /// assert_eq!(*states.borrow_and_update(), State::ForcedOpen);
    /// # }
    /// ```
    #[must_use]
    pub fn watch(&self, since: u16, stop: &StopWatching) -> Option<Watched> {
        self.cold.event_count.watch(|| {
            // ORDERING: Relaxed. What was stored before a ring is seen by the look after a mark: `EventCount`.
            if stop.0.load(Ordering::Relaxed) {
                return Some(None);
            }
            let snapshot = self.snapshot();
            let moved = snapshot.generation.wrapping_sub(since);
            let missed = moved.checked_sub(1)?;
            Some(Some(Watched { snapshot, missed }))
        })
    }

    /// Tells the threads that [`watch`](Breaker::watch) this breaker with `stop` to stop, now and from now on.
    /// Those that watch another breaker with it stop when they are told so of that, or at its next transition.
    pub fn stop_watching(&self, stop: &StopWatching) {
        // ORDERING: Relaxed, as the ring that follows publishes it.
        let store = || stop.0.store(true, Ordering::Relaxed);
        self.cold.event_count.notify_after(store);
    }
}

//! `watch`: blocks a thread until the next transition.

use core::sync::atomic::{AtomicBool, Ordering};

use super::{Breaker, Snapshot};

/// The result of a [`Breaker::watch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Watched {
    /// The breaker, after the transition.
    pub snapshot: Snapshot,
    /// The number of unseen transitions between the generation waited on and this one.
    pub missed: u16,
}

/// Stops threads that [`watch`](Breaker::watch), by [`Breaker::stop_watching`].
#[derive(Debug, Default)]
pub struct StopWatching(AtomicBool);

impl StopWatching {
    /// A new handle, which has stopped no thread yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }
}

impl Breaker {
    /// Blocks the thread until the breaker leaves the period of this `generation`. Returns `None`
    /// if [stopped](Breaker::stop_watching), before or meanwhile.
    ///
    /// Returns at once if that period is over already. So no transition is lost silently:
    /// [`missed`](Watched::missed) counts those in between. (Exactly 65 536 of them, or a multiple,
    /// look like none.) An open breaker whose deadline passes makes no transition: the next call
    /// does.
    ///
    /// Any number of threads may wait. They cost a call nothing, and a transition one system call.
    /// A waiting thread sleeps; it does not poll.
    ///
    /// ```
    /// use cutout::{Breaker, State, StopWatching};
    /// use std::thread;
    ///
    /// static SEARCH: Breaker = Breaker::new();
    /// static STOP: StopWatching = StopWatching::new();
    ///
    /// let mut generation = SEARCH.snapshot().generation;
    /// let watcher = thread::spawn(move || {
    ///     while let Some(watched) = SEARCH.watch(generation, &STOP) {
    ///         generation = watched.snapshot.generation;
    ///         println!("{}, {} missed", watched.snapshot.state, watched.missed);
    ///     }
    /// });
    /// SEARCH.force_open(); // forced-open, 0 missed
    /// SEARCH.stop_watching(&STOP);
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
    /// let search = Breaker::new().with_shared_listener(Arc::new(move |transition: &Transition| {
    ///     sender.send_replace(transition.to);
    /// }));
    /// search.force_open();
    /// states.changed().await.unwrap();
    /// assert_eq!(*states.borrow_and_update(), State::ForcedOpen);
    /// # }
    /// ```
    #[must_use]
    pub fn watch(&self, generation: u16, stop: &StopWatching) -> Option<Watched> {
        self.cold.event_count.watch(|| {
            // ORDERING: Relaxed. `EventCount` makes stores before a notification visible to the
            // check after an announcement.
            if stop.0.load(Ordering::Relaxed) {
                return Some(None);
            }
            let snapshot = self.snapshot();
            let moved = snapshot.generation.wrapping_sub(generation);
            let missed = moved.checked_sub(1)?;
            Some(Some(Watched { snapshot, missed }))
        })
    }

    /// Stops the threads that [`watch`](Breaker::watch) this breaker with `stop`, now and in
    /// future. Threads that watch another breaker with the same `stop` return at that breaker's
    /// next transition or stop.
    pub fn stop_watching(&self, stop: &StopWatching) {
        // ORDERING: Relaxed, as the notification that follows publishes it.
        let store = || stop.0.store(true, Ordering::Relaxed);
        self.cold.event_count.notify_after(store);
    }
}

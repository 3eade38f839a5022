//! The window beside the word, of the trips that have one: made when it is first needed.

use core::cell::Cell;
use std::{boxed::Box, sync::OnceLock, thread};

use crate::{
    Breaker,
    machine::{
        cell::Decided,
        step::Recorded,
        tally::Count,
        window::{Beside, Failure},
        word::Word,
    },
    sync::{AtomicU64, Ordering},
};

use super::ticket::Ticket;

/// More shards than this help nobody: a failure adds them all up.
const MOST_SHARDS: usize = 64;

/// The place of a window.
pub(super) struct Window(OnceLock<Option<Box<Beside>>>);

impl Window {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }
}

impl Breaker {
    /// Records a failure of a call that was admitted while closed, if the trip has a window beside the word.
    pub(super) fn fail_beside(
        &self,
        seen: Word,
        failure: Failure<'_>,
    ) -> Option<Decided<Option<Count>, Recorded>> {
        let beside = self.beside()?;
        Some(beside.fail(&self.hot.cell, seen, failure, &self.hot.rules))
    }

    /// Counts a success of the closed period that stands in its time bucket, if it may without the clock.
    #[inline]
    pub(super) fn succeed_untimed(&self, seen: Word) -> bool {
        match self.cold.window.0.get() {
            // A thread without a number yet does as well as any.
            Some(Some(beside)) => match &**beside {
                Beside::Rate(rate) => rate.succeed_untimed(NUMBER.get(), seen.generation()),
                Beside::Stamps(_) => false,
            },
            _ => false,
        }
    }

    /// Counts a success, if the trip has time buckets, and says when that was.
    pub(super) fn succeed_beside(
        &self,
        seen: Word,
        ticket: Ticket,
        now: Option<u64>,
    ) -> Option<u64> {
        if !self.hot.rules.tally.is_rate() {
            return now;
        }
        let now = now.unwrap_or_else(|| self.hot.clock.now());
        if ticket.period.is_closed()
            && seen.is_of(ticket.period)
            && let Some(Beside::Rate(rate)) = self.beside()
        {
            rate.succeed(thread_number(), &self.hot.cell, seen, now);
        }
        Some(now)
    }

    /// What the window of a closed word covers; `None` if there is none, or not yet.
    pub(super) fn count_beside(&self, word: Word, now: u64) -> Option<Count> {
        // Looking makes none.
        let beside = self.cold.window.0.get()?.as_deref()?;
        Some(beside.count(word, &self.hot.rules, now))
    }

    /// Whether the window has been made: with the first failure or, for time buckets, the first call.
    #[cfg(feature = "keyed")]
    pub(super) fn has_window(&self) -> bool {
        self.cold.window.0.get().is_some()
    }

    fn beside(&self) -> Option<&Beside> {
        let made = || Beside::new(&self.hot.rules, shards).map(Box::new);
        self.cold.window.0.get_or_init(made).as_deref()
    }
}

/// As many shards as threads can run at once.
fn shards() -> usize {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    threads.min(MOST_SHARDS)
}

thread_local! {
    /// The number of this thread, once it has one. Without a destructor and without code to run at first: a
    /// plain load.
    static NUMBER: Cell<usize> = const { Cell::new(NONE) };
}

const NONE: usize = usize::MAX;

/// A number that this thread keeps. Threads that come and go use up numbers and nothing else.
fn thread_number() -> usize {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    if NUMBER.get() == NONE {
        // ORDERING: Relaxed. Numbers need only differ, and the low bits are enough to tell shards apart.
        let number = NEXT.fetch_add(1, Ordering::Relaxed) % (1 << 16);
        NUMBER.set(usize::try_from(number).unwrap_or(0));
    }
    NUMBER.get()
}

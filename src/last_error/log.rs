//! The last failures, in a ring that nobody waits for.
//!
//! ```text
//! next      8 ─────────────┐ taken by each failure: its number
//!                          v
//! ring      | 5 | 6 | 7 | 4 |       cell = number mod capacity; 8 will take the place of 4
//! ```
//!
//! A failure takes its number, then its cell. (Number first is wrong for a window that decides to trip, where a thread
//! held up in between would lose a count. This one decides nothing: its reader sees a gap.) A cell only ever goes to a
//! higher number: whoever was held up while the ring went round finds a newer failure there and leaves it.
//!
//! | a thread stops | then |
//! |---|---|
//! | before its number | its failure is not in the log yet |
//! | after its number | its number is missing, and the cell has an older failure or, after a round, a newer one |
//! | after its cell | all is done |
//!
//! No thread waits for another: a CAS is only lost to one that has stored a failure.

use core::{cmp::Reverse, fmt};
use std::{boxed::Box, sync::Arc, time::SystemTime, vec::Vec};

use arc_swap::ArcSwapOption;

use crate::{
    PolicyError,
    sync::{AtomicU64, Ordering},
};

use super::message::truncated;

/// The most failures that a log can hold.
const MAX_CAPACITY: u32 = 4_096;

/// The last failures, for operators to read.
///
/// Holds as many as its capacity, 1 to 4096; each takes at most about 350 bytes: a message is cut at
/// 256. Made at
/// compile time it allocates nothing before the first failure, then 8 bytes for each that it can hold.
///
/// Neither who records nor who reads ever waits for another. It can be fed by [`WithLastError`](super::WithLastError)
/// breakers, also by several, and by hand.
///
/// ```
/// use cutout::{Breaker, last_error::FailureLog};
///
/// static PARTNER: Breaker = Breaker::new();
/// static FAILURES: FailureLog = FailureLog::new(2);
///
/// for status in [500, 502, 503] {
///     let permit = PARTNER.try_acquire().unwrap();
///     FAILURES.record(permit.generation(), "http", &status);
///     permit.failure();
/// }
/// let read = FAILURES.read();
/// assert_eq!(read.failures.len(), 2);
/// assert_eq!(&*read.failures[0].message, "503");
/// assert_eq!(read.missing, 1);
/// ```
///
/// A log that can hold nothing does not compile in a `static`:
///
/// ```compile_fail,E0080
/// # use cutout::last_error::FailureLog;
/// static FAILURES: FailureLog = FailureLog::new(0);
/// # FAILURES.read();
/// ```
pub struct FailureLog {
    /// Made for the first failure.
    ring: ArcSwapOption<Ring>,
    next: AtomicU64,
    capacity: u32,
    wall_clock: fn() -> SystemTime,
}

type Ring = Box<[ArcSwapOption<Failure>]>;

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The how-manieth it is, from 1. A failure that was recorded after another one had been has a higher number.
    pub number: u64,
    /// When it was recorded. This is the time of day, which can step back: the numbers tell the order.
    pub when: SystemTime,
    /// The period that its call was admitted in.
    pub generation: u16,
    /// What kind of failure it is.
    pub class: &'static str,
    /// What it said, cut at 256 bytes. May hold what the partner sent: escape it where that matters.
    pub message: Box<str>,
}

/// What [`FailureLog::read`] found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LogSnapshot {
    /// The failures, newest first, no number twice.
    ///
    /// Each is whole, but they are not of one instant: where threads record at the same time, one can be here and an
    /// older one not, which then counts as missing.
    pub failures: Vec<Arc<Failure>>,
    /// How many failures before the newest one are not here: overwritten, or just being recorded.
    pub missing: u64,
}

impl FailureLog {
    /// A log of the last `capacity` failures.
    ///
    /// # Panics
    ///
    /// If `capacity` is not 1 to 4096; in a `const` or a `static` that is a compile error.
    #[must_use]
    pub const fn new(capacity: u32) -> Self {
        match capacity_error(capacity) {
            None => Self::of(capacity),
            Some(error) => panic!("{}", error.text().as_str()),
        }
    }

    /// A log of the last `capacity` failures, where that comes from outside.
    ///
    /// # Errors
    ///
    /// If `capacity` is not 1 to 4096.
    ///
    /// ```
    /// use cutout::last_error::FailureLog;
    ///
    /// let error = FailureLog::try_new(0).unwrap_err();
    /// assert_eq!(error.to_string(), "capacity must be 1 to 4096, got 0");
    /// ```
    pub const fn try_new(capacity: u32) -> Result<Self, PolicyError> {
        match capacity_error(capacity) {
            None => Ok(Self::of(capacity)),
            Some(error) => Err(error),
        }
    }

    const fn of(capacity: u32) -> Self {
        Self {
            ring: ArcSwapOption::const_empty(),
            next: AtomicU64::new(1),
            capacity,
            wall_clock: SystemTime::now,
        }
    }

    /// Takes the time of day from elsewhere: for tests.
    #[must_use]
    pub const fn wall_clock(mut self, now: fn() -> SystemTime) -> Self {
        self.wall_clock = now;
        self
    }

    /// Records a failure of the period `generation`. What comes after its first 256 bytes is cut off its message.
    ///
    /// # Panics
    ///
    /// If the message's `Display` panics; then nothing is recorded.
    pub fn record(&self, generation: u16, class: &'static str, message: &dyn fmt::Display) {
        // The user's code first: nothing is taken yet that a panic would leave empty.
        let message = truncated(message);
        let when = (self.wall_clock)();
        // ORDERING: Relaxed. An addition gives each number once, and to whoever comes after another one a higher
        // number: both hold for this atomic alone. Nothing is published by it; that is what the cell is for.
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.store(Failure {
            number,
            when,
            generation,
            class,
            message,
        });
    }

    /// Puts a failure into its cell, unless a newer one is there already.
    fn store(&self, failure: Failure) {
        let failure = Arc::new(failure);
        let ring = self
            .ring
            .load_full()
            .unwrap_or_else(|| self.allocate_ring());
        // ORDERING: arc-swap's, a SeqCst CAS here and an Acquire load in `read`. Without Release and Acquire a reader
        // could find the failure's address before what is written there.
        ring[self.index(failure.number)].rcu(|current| match current {
            Some(newer) if newer.number > failure.number => Some(Arc::clone(newer)),
            _ => Some(Arc::clone(&failure)),
        });
    }

    /// What there is to see, newest first. Allocates the list, and shares the failures.
    #[must_use]
    pub fn read(&self) -> LogSnapshot {
        let ring = self.ring.load();
        let cells = ring.as_deref().map_or(&[][..], |ring| &**ring);
        let mut failures: Vec<_> = cells.iter().filter_map(ArcSwapOption::load_full).collect();
        failures.sort_unstable_by_key(|failure| Reverse(failure.number));
        let newest = failures.first().map_or(0, |failure| failure.number);
        LogSnapshot {
            missing: newest - failures.len() as u64,
            failures,
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is less than the capacity"
    )]
    fn index(&self, number: u64) -> usize {
        (number % u64::from(self.capacity)) as usize
    }

    /// The ring, made by whoever comes first: who loses the race takes the winner's.
    #[cold]
    fn allocate_ring(&self) -> Arc<Ring> {
        let cells = 0..self.capacity;
        let new: Arc<Ring> = Arc::new(cells.map(|_| ArcSwapOption::const_empty()).collect());
        let none: Option<Arc<Ring>> = None;
        let previous = self.ring.compare_and_swap(&none, Some(Arc::clone(&new)));
        previous.as_ref().map_or(new, Arc::clone)
    }
}

/// What is wrong with a capacity, if anything is.
const fn capacity_error(capacity: u32) -> Option<PolicyError> {
    if 1 <= capacity && capacity <= MAX_CAPACITY {
        return None;
    }
    Some(PolicyError::number("capacity", 1, MAX_CAPACITY, capacity))
}

impl fmt::Debug for FailureLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailureLog")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(number: u64) -> Failure {
        Failure {
            number,
            when: SystemTime::UNIX_EPOCH,
            generation: 0,
            class: "io",
            message: Box::from("down"),
        }
    }

    #[test]
    fn a_thread_that_was_held_up_for_a_round_leaves_the_newer_failure() {
        let log = FailureLog::new(2);
        for number in [2, 4, 3, 1] {
            log.store(failure(number));
        }
        let read = log.read();
        assert_eq!(*read.failures[0], failure(4));
        assert_eq!(*read.failures[1], failure(3));
        assert_eq!((read.failures.len(), read.missing), (2, 2));
    }

    #[test]
    fn a_thread_that_is_held_up_leaves_a_gap() {
        let log = FailureLog::new(3);
        for number in [1, 2, 4] {
            log.store(failure(number));
        }
        assert_eq!(log.read().missing, 2, "1 is overwritten, and 3 under way");
        log.store(failure(3));
        assert_eq!(log.read().missing, 1);
    }
}

//! [`FailureLog`]: a lock-free ring of the last failures.
//!
//! ```text
//! next      8 ─────────────┐ number of the next failure
//!                          v
//! ring      | 5 | 6 | 7 | 4 |       slot = number mod capacity; 8 will replace 4
//! ```
//!
//! A failure takes its number first and its slot afterwards. (A window that decides a trip could
//! not do that: a thread suspended in between would lose a count. The log decides nothing, and its
//! reader sees a gap.) The numbers in a slot only rise. A thread that was suspended while the ring
//! went round finds a newer failure in its slot and leaves it.
//!
//! | a thread stops | then |
//! |---|---|
//! | before its number | its failure is not in the log yet |
//! | after its number | its number is missing; the slot holds an older failure or, after a round, a newer one |
//! | after its slot | the failure is in the log |
//!
//! No thread waits for another: a CAS fails only if another thread has stored a failure.

use core::{cmp::Reverse, fmt};
use std::{boxed::Box, sync::Arc, time::SystemTime, vec::Vec};

use arc_swap::ArcSwapOption;

use crate::{
    PolicyError,
    sync::{AtomicU64, Ordering},
};

use super::message::truncated;

/// The largest capacity of a log.
const MAX_CAPACITY: u32 = 4_096;

/// A bounded log of the last failures, for operators.
///
/// The capacity is 1 to 4096 failures. A failure takes at most about 350 bytes, since a message is
/// cut at 256. The log allocates nothing before the first failure, then 8 bytes for each failure of
/// its capacity.
///
/// Neither [`record`](Self::record) nor [`read`](Self::read) ever blocks. Several
/// [`WithLastError`](super::WithLastError) breakers can write to one log, and so can any other
/// code.
///
/// ```
/// use cutout::{Breaker, last_error::FailureLog};
///
/// static BILLING: Breaker = Breaker::new();
/// static FAILURES: FailureLog = FailureLog::new(2);
///
/// for status in [500, 502, 503] {
///     let permit = BILLING.try_acquire().unwrap();
///     FAILURES.record(permit.generation(), "http", &status);
///     permit.failure();
/// }
/// let read = FAILURES.read();
/// assert_eq!(read.failures.len(), 2);
/// assert_eq!(&*read.failures[0].message, "503");
/// assert_eq!(read.missing, 1);
/// ```
///
/// A log without capacity does not compile in a `static`:
///
/// ```compile_fail,E0080
/// # use cutout::last_error::FailureLog;
/// static FAILURES: FailureLog = FailureLog::new(0);
/// # FAILURES.read();
/// ```
pub struct FailureLog {
    /// Allocated for the first failure.
    ring: ArcSwapOption<LogRing>,
    next: AtomicU64,
    capacity: u32,
    wall_clock: fn() -> SystemTime,
}

type LogRing = Box<[ArcSwapOption<Failure>]>;

/// A failed call in a [`FailureLog`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Sequence number, starting at 1. A failure that was recorded after another has a higher
    /// number.
    pub number: u64,
    /// The wall-clock time of the record. It can step back; the numbers give the order.
    pub when: SystemTime,
    /// The period in which the call was admitted.
    pub generation: u16,
    /// The kind of failure.
    pub class: &'static str,
    /// The text of the error, cut at 256 bytes. It may contain text from the dependency: escape it
    /// where that matters.
    pub message: Box<str>,
}

/// The failures that [`FailureLog::read`] found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LogSnapshot {
    /// The failures, newest first, no number twice.
    ///
    /// The list is not from a single instant. If threads record at the same time, a failure can be
    /// listed while an older one is not; the older one then counts as missing.
    pub failures: Vec<Arc<Failure>>,
    /// The number of failures before the newest that are not listed: overwritten, or still being
    /// recorded.
    pub missing: u64,
}

impl FailureLog {
    /// Creates a log of the last `capacity` failures.
    ///
    /// # Panics
    ///
    /// Panics if `capacity` is not 1 to 4096; in a `const` or a `static` that is a compile error.
    #[must_use]
    pub const fn new(capacity: u32) -> Self {
        match capacity_error(capacity) {
            None => Self::of(capacity),
            Some(error) => panic!("{}", error.text().as_str()),
        }
    }

    /// Creates a log of the last `capacity` failures, for a capacity that comes from outside.
    ///
    /// # Errors
    ///
    /// Returns an error if `capacity` is not 1 to 4096.
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

    /// Sets the source of the wall-clock time, for tests.
    #[must_use]
    pub const fn wall_clock(mut self, now: fn() -> SystemTime) -> Self {
        self.wall_clock = now;
        self
    }

    /// Records a failure of the period `generation`. The message is cut at 256 bytes.
    ///
    /// # Panics
    ///
    /// Panics if the message's `Display` panics; nothing is recorded then.
    pub fn record(&self, generation: u16, class: &'static str, message: &dyn fmt::Display) {
        // Run the user's code first: a panic after taking the number would leave a gap.
        let message = truncated(message);
        let when = (self.wall_clock)();
        // ORDERING: Relaxed. The addition gives each number once, and a later call a higher number.
        // Both hold for this atomic alone. It publishes nothing; the slot does.
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.store(Failure {
            number,
            when,
            generation,
            class,
            message,
        });
    }

    /// Stores a failure in its slot, unless a newer one is there.
    fn store(&self, failure: Failure) {
        let failure = Arc::new(failure);
        let ring = self
            .ring
            .load_full()
            .unwrap_or_else(|| self.allocate_ring());
        // ORDERING: arc-swap's, a SeqCst CAS here and an Acquire load in `read`. Without Release
        // and Acquire a reader could see the failure's address before its contents.
        ring[self.index(failure.number)].rcu(|current| match current {
            Some(newer) if newer.number > failure.number => Some(Arc::clone(newer)),
            _ => Some(Arc::clone(&failure)),
        });
    }

    /// Returns the failures, newest first. Allocates the list; the failures are shared.
    #[must_use]
    pub fn read(&self) -> LogSnapshot {
        let ring = self.ring.load();
        let slots = ring.as_deref().map_or(&[][..], |ring| &**ring);
        let mut failures: Vec<_> = slots.iter().filter_map(ArcSwapOption::load_full).collect();
        failures.sort_unstable_by_key(|failure| Reverse(failure.number));
        let newest = failures.first().map_or(0, |failure| failure.number);
        LogSnapshot {
            missing: newest - failures.len() as u64,
            failures,
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the remainder is less than the capacity"
    )]
    fn index(&self, number: u64) -> usize {
        (number % u64::from(self.capacity)) as usize
    }

    /// Allocates the ring. If threads race, all use the ring of the first.
    #[cold]
    fn allocate_ring(&self) -> Arc<LogRing> {
        let slots = 0..self.capacity;
        let new: Arc<LogRing> = Arc::new(slots.map(|_| ArcSwapOption::const_empty()).collect());
        let none: Option<Arc<LogRing>> = None;
        let previous = self.ring.compare_and_swap(&none, Some(Arc::clone(&new)));
        previous.as_ref().map_or(new, Arc::clone)
    }
}

/// Returns an error if the capacity is out of bounds.
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
    fn a_thread_suspended_for_a_round_leaves_the_newer_failure() {
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
    fn a_suspended_thread_leaves_a_gap() {
        let log = FailureLog::new(3);
        for number in [1, 2, 4] {
            log.store(failure(number));
        }
        assert_eq!(log.read().missing, 2, "1 is overwritten, and 3 under way");
        log.store(failure(3));
        assert_eq!(log.read().missing, 1);
    }
}

//! A failure rate within a time, in [time buckets](time_buckets).
//!
//! The payload has the bucket in which the period began, and a run of failures.

#[cfg(feature = "std")]
pub(crate) mod time_buckets;

use super::{Count, payload::Payload};

/// A window of time in which successes are counted, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Buckets {
    pub(crate) percent: u8,
    pub(crate) min_calls: u32,
    pub(crate) within_ms: u32,
}

impl Buckets {
    pub(crate) const MOST_MIN_CALLS: u32 = 1_000_000;
    pub(crate) const SHORTEST_MS: u64 = 100;
    /// A day.
    pub(crate) const LONGEST_MS: u64 = 86_400_000;

    #[inline]
    pub(crate) const fn fresh(self, now: u64) -> u64 {
        Payload::starting_in(now / self.bucket_nanos()).bits()
    }

    pub(crate) const fn healthy(self) -> Option<u64> {
        None
    }

    #[inline]
    pub(crate) const fn success(self, payload: u64) -> u64 {
        Payload::new(payload).without_run().bits()
    }

    #[inline]
    pub(crate) const fn failure(self, payload: u64, run: Option<u16>) -> u64 {
        Payload::new(payload).with_failure(run).bits()
    }

    pub(crate) const fn run_length(self, payload: u64) -> u64 {
        Payload::new(payload).run()
    }

    pub(crate) const fn trips(self, _payload: u64) -> bool {
        false
    }

    /// The buckets have the counts.
    pub(crate) const fn count(self, _payload: u64) -> Count {
        Count {
            failures: 0,
            calls: 0,
        }
    }

    pub(crate) const fn longest_run(self) -> u16 {
        u16::MAX
    }

    pub(crate) const fn is_external(self) -> bool {
        true
    }

    pub(crate) const fn records_successes(self) -> bool {
        true
    }

    /// The length of a bucket, a tenth of the window.
    pub(crate) const fn bucket_nanos(self) -> u64 {
        self.within_ms as u64 * 100_000
    }
}

#[cfg(test)]
impl Buckets {
    pub(crate) const fn is_legal(self, payload: u64, run: Option<u16>) -> bool {
        Payload::new(payload).is_legal(run, 0)
    }

    pub(crate) const fn entries(self) -> Option<usize> {
        None
    }

    /// The bucket in which the period began.
    pub(crate) const fn unread(self) -> u64 {
        super::payload::START
    }
}

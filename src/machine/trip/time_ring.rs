//! `failures(k).within(T)`: its failures are in a ring, stamped with their time.
//!
//! A success changes nothing but a run.

use super::{
    CompiledThreshold, Count,
    payload::Payload,
    ring::{self, RingRule},
};

/// `k` failures within a time.
///
/// (Packed, so that the tag of [`CompiledWindow`](super::CompiledWindow) fits beside it. Otherwise
/// the core would need one more cache line.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(Rust, packed(4))]
pub(crate) struct TimeRing {
    pub(crate) k: u16,
    pub(crate) within_ms: u64,
}

impl TimeRing {
    pub(crate) const MOST_FAILURES: u16 = 1_024;
    pub(crate) const SHORTEST_MS: u64 = 10;
    /// 365 days.
    pub(crate) const LONGEST_MS: u64 = 365 * 86_400_000;

    pub(crate) const fn fresh(self, _now: u64) -> u64 {
        0
    }

    pub(crate) const fn healthy(self) -> Option<u64> {
        Some(0)
    }

    #[inline]
    pub(crate) const fn success(self, payload: u64) -> u64 {
        Payload::new(payload).without_run().bits()
    }

    #[inline]
    pub(crate) const fn failure(self, payload: u64, run: Option<u16>) -> u64 {
        ring::after_failure(Payload::new(payload), self.ring().entries(), run).bits()
    }

    #[inline]
    pub(crate) const fn run_length(self, payload: u64) -> u64 {
        Payload::new(payload).run()
    }

    pub(crate) const fn trips(self, _payload: u64) -> bool {
        false
    }

    /// The ring has the counts.
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
        false
    }

    /// The failures that its ring keeps.
    pub(crate) const fn ring(self) -> RingRule {
        RingRule {
            span: self.within_ms * 1_000,
            threshold: CompiledThreshold::Failures(self.k),
        }
    }
}

#[cfg(test)]
impl TimeRing {
    pub(crate) const fn is_legal(self, payload: u64, run: Option<u16>) -> bool {
        Payload::new(payload).is_legal(run, 0)
    }

    pub(crate) const fn entries(self) -> Option<usize> {
        Some(self.ring().entries())
    }

    /// The number of calls.
    pub(crate) const fn unread(self) -> u64 {
        super::payload::CALLS
    }
}

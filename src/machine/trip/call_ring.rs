//! A window of more than 45 calls: its failures are in a ring, stamped with the number of their
//! call.
//!
//! The payload counts successes in a row, up to the length of the window. A window full of
//! successes is healthy.

#![expect(
    clippy::cast_possible_truncation,
    reason = "`try_from` is not const, and the bits of a payload are few"
)]

use super::{
    CompiledThreshold, Count,
    payload::Payload,
    ring::{self, RingRule},
};

/// The last `span` calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallRing {
    pub(crate) span: u16,
    pub(crate) threshold: CompiledThreshold,
}

impl CallRing {
    pub(crate) const MOST_CALLS: u16 = 4_096;

    pub(crate) const fn fresh(self, _now: u64) -> u64 {
        0
    }

    pub(crate) const fn healthy(self) -> Option<u64> {
        Some(Payload::of_successes(self.span).bits())
    }

    #[inline]
    pub(crate) const fn success(self, payload: u64) -> u64 {
        Payload::new(payload).with_success(self.span).bits()
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

    /// Before the first failure; after it, the ring has the counts.
    pub(crate) const fn count(self, payload: u64) -> Count {
        Count {
            failures: 0,
            calls: Payload::new(payload).calls() as u32,
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
            span: self.span as u64,
            threshold: self.threshold,
        }
    }
}

#[cfg(test)]
impl CallRing {
    pub(crate) const fn is_legal(self, payload: u64, run: Option<u16>) -> bool {
        Payload::new(payload).is_legal(run, self.span as u64)
    }

    pub(crate) const fn entries(self) -> Option<usize> {
        Some(self.ring().entries())
    }

    /// The number of calls.
    pub(crate) const fn unread(self) -> u64 {
        super::payload::CALLS
    }
}

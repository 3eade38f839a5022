//! The failure ring that [`CallRing`](super::call_ring::CallRing) and
//! [`TimeRing`](super::time_ring::TimeRing) share.
//!
//! The payload has the index of the next failure's entry, and the number of calls.

#![expect(
    clippy::cast_possible_truncation,
    reason = "`try_from` is not const, and a ring has at most 4096 entries"
)]

#[cfg(feature = "std")]
pub(crate) mod failure_ring;

use super::{CompiledThreshold, payload::Payload};

/// The window of a ring, and the failures in it that trip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RingRule {
    /// The length of the window, in stamps.
    pub(crate) span: u64,
    pub(crate) threshold: CompiledThreshold,
}

impl RingRule {
    /// The most failures that can be needed to trip.
    pub(crate) const fn most_failures(self) -> usize {
        match self.threshold.needed(self.span) {
            Some(needed) => needed,
            None => self.span as usize,
        }
    }

    /// The number of entries. For one failure there are two, to distinguish an entry from the one
    /// before it.
    pub(crate) const fn entries(self) -> usize {
        match self.most_failures() {
            1 => 2,
            failures => failures,
        }
    }
}

/// The payload after one more failure, in a ring with this number of entries.
///
/// The calls are counted in a window of time, too, though no trip depends on them. Otherwise the
/// word would repeat after two laps, and a thread that stopped for that long would advance the
/// index once too often.
pub(crate) const fn after_failure(payload: Payload, entries: usize, run: Option<u16>) -> Payload {
    payload
        .with_failure(run)
        .with_next_position(entries)
        .with_one_call_more()
}

//! The bits of an external window in a closed word.
//!
//! ```text
//!  45      44        29 28  27      16 15              0
//! +-------+------------+---+----------+-----------------+
//! |failing|   streak   |lap|  index   |      calls      |   failure ring
//! +-------+------------+---+----------+-----------------+
//! |failing|   streak   |            start               |   time buckets
//! +-------+------------+--------------------------------+
//! ```
//!
//! | field | value |
//! |---|---|
//! | failing, streak | 1 and the failures since the last success, counted beside `consecutive(c)`; or 0 and the successes since the last failure, counted in a window of calls up to its length |
//! | lap, index | the position of the next failure's entry |
//! | calls | the calls counted, modulo 2^16; a success in a window full of successes is not counted |
//! | start | the bucket in which the period began, modulo 2^29 |
//!
//! Failing and streak alone decide whether a word is healthy, whatever the other fields hold.

use super::super::word::PAYLOAD_BITS;

const CALLS_BITS: u32 = 16;
const INDEX_BITS: u32 = 12;
const LAP_SHIFT: u32 = CALLS_BITS + INDEX_BITS;
const STREAK_SHIFT: u32 = LAP_SHIFT + 1;
const STREAK_BITS: u32 = 16;
const FAILING: u64 = 1 << (STREAK_SHIFT + STREAK_BITS);

pub(super) const CALLS: u64 = (1 << CALLS_BITS) - 1;
const INDEX: u64 = ((1 << INDEX_BITS) - 1) << CALLS_BITS;
const LAP: u64 = 1 << LAP_SHIFT;
/// Calls, index and lap of a ring; or the low bits of a bucket's number.
pub(crate) const START: u64 = (1 << STREAK_SHIFT) - 1;
const STREAK: u64 = ((1 << STREAK_BITS) - 1) << STREAK_SHIFT;

/// Mask of the bits that decide whether a word is healthy.
pub(crate) const HEALTH: u64 = FAILING | STREAK;

const _: () = assert!(FAILING == 1 << (PAYLOAD_BITS - 1));

/// The payload of a closed word with an external window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Payload(u64);

/// The position of a failure's entry: a cell of the ring, in one of two laps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) index: usize,
    pub(crate) lap: bool,
}

impl Payload {
    pub(crate) const fn new(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// A new period that begins in this bucket.
    pub(crate) const fn starting_in(bucket: u64) -> Self {
        Self(bucket & START)
    }

    /// A window full of `span` successes.
    pub(crate) const fn of_successes(span: u16) -> Self {
        Self(0).with_streak(false, span as u64)
    }

    pub(crate) const fn calls(self) -> u64 {
        self.0 & CALLS
    }

    pub(crate) const fn position(self) -> Position {
        Position {
            index: ((self.0 & INDEX) >> CALLS_BITS) as usize,
            lap: self.0 & LAP != 0,
        }
    }

    /// The failures since the last success.
    pub(crate) const fn run(self) -> u64 {
        if self.0 & FAILING == 0 {
            0
        } else {
            self.streak()
        }
    }

    /// The counted successes since the last failure.
    #[cfg(test)]
    pub(crate) const fn clean(self) -> u64 {
        if self.0 & FAILING == 0 {
            self.streak()
        } else {
            0
        }
    }

    /// After a success, where successes are counted up to `span`.
    #[inline]
    pub(crate) const fn with_success(self, span: u16) -> Self {
        let clean = if self.0 & FAILING == 0 {
            self.streak()
        } else {
            0
        };
        if clean >= span as u64 {
            return self;
        }
        self.with_one_call_more().with_streak(false, clean + 1)
    }

    /// After a success, where successes are not counted.
    #[inline]
    pub(crate) const fn without_run(self) -> Self {
        self.with_streak(false, 0)
    }

    /// After a failure. The run is counted up to `run`, if the trip has one.
    pub(crate) const fn with_failure(self, run: Option<u16>) -> Self {
        if run.is_none() {
            return self.without_run();
        }
        let run = self.run();
        let most = STREAK >> STREAK_SHIFT;
        self.with_streak(true, if run < most { run + 1 } else { run })
    }

    pub(crate) const fn with_one_call_more(self) -> Self {
        Self((self.0 & !CALLS) | ((self.0 + 1) & CALLS))
    }

    /// With the next position in a ring of `len`.
    pub(crate) const fn with_next_position(self, len: usize) -> Self {
        let Position { index, .. } = self.position();
        if index + 1 == len {
            Self((self.0 & !INDEX) ^ LAP)
        } else {
            Self((self.0 & !INDEX) | (((index + 1) as u64) << CALLS_BITS))
        }
    }

    const fn streak(self) -> u64 {
        (self.0 & STREAK) >> STREAK_SHIFT
    }

    const fn with_streak(self, failing: bool, streak: u64) -> Self {
        let failing = if failing { FAILING } else { 0 };
        Self((self.0 & START) | failing | (streak << STREAK_SHIFT))
    }
}

#[cfg(test)]
impl Payload {
    /// Whether a closed word can carry it, where a run is counted up to `run` and successes up to
    /// `most`.
    pub(super) const fn is_legal(self, run: Option<u16>, most: u64) -> bool {
        let short_enough = match run {
            Some(longest) => self.run() < longest as u64,
            None => self.run() == 0,
        };
        self.0 < 1 << PAYLOAD_BITS && short_enough && self.clean() <= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn successes_are_counted_up_to_the_span_and_then_nothing_changes() {
        let mut payload = Payload::new(0);
        for calls in 1..=100 {
            payload = payload.with_success(100);
            assert_eq!(payload.calls(), calls);
        }
        assert_eq!(payload.with_success(100), payload);
        assert_eq!(payload.bits() & HEALTH, Payload::of_successes(100).bits());
    }

    #[test]
    fn a_run_saturates_and_a_success_ends_it() {
        let full = Payload::new(FAILING | STREAK);
        assert_eq!(full.run(), 65_535);
        assert_eq!(full.with_failure(Some(9)), full);
        assert_eq!(full.with_success(50).run(), 0);
        assert_eq!(full.without_run().bits(), 0);
        assert_eq!(full.with_failure(None).bits(), 0);
    }

    #[test]
    fn calls_wrap_into_no_other_field() {
        let payload = Payload::new(START | STREAK).with_one_call_more();
        assert_eq!(payload.calls(), 0);
        assert_eq!(payload.bits(), (START & !CALLS) | STREAK);
    }
}

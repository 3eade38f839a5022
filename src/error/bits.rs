//! The bits of a rejection.
//!
//! ```text
//!  63  62 61          46 45      25   24   23                            0
//! +------+--------------+----------+------+-------------------------------+
//! |reason|  generation  |   name   | unit |           remaining           |
//! +------+--------------+----------+------+-------------------------------+
//! 01 open, 10 probes busy, 11 forced open        ticks of 250 µs if unit is 0, seconds if it is 1
//! ```
//!
//! No reason has the bits 00, so the word is never 0, and a [`Result`] of a word and a rejection
//! fits two registers. The name is a number (see `name.rs`), and is 0 without `std`.

#![expect(
    clippy::cast_possible_truncation,
    reason = "a field is masked to its bits, and `try_from` is not const"
)]

use core::num::NonZeroU64;

use crate::machine::{step::admit::RejectReason, tick::Deadline, word::Field};
#[cfg(feature = "std")]
use crate::name::NameId;

use super::{Reason, TICK_MICROS};

const REMAINING: Field = Field::first(24);
/// 1 if the wait is in seconds.
const UNIT: Field = REMAINING.then(1);
const NAME: Field = UNIT.then(21);
const GENERATION: Field = NAME.then(16);
const REASON: Field = GENERATION.then(2);

const TICKS_PER_SECOND: u64 = 1_000_000 / TICK_MICROS;

const _: () = {
    assert!(REASON.end() == u64::BITS);
    #[cfg(feature = "std")]
    assert!(NameId::BITS == NAME.end() - UNIT.end());
    // No open period is longer than 30 days, with as much jitter.
    assert!(Deadline::ticks(60 * 24 * 3_600_000) / TICKS_PER_SECOND < REMAINING.max());
};

/// The content of a rejection: reason, generation, wait, and the number of the name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RejectedBits(NonZeroU64);

impl RejectedBits {
    #[inline]
    pub(super) const fn new(reason: RejectReason, generation: u16, name: u64) -> Self {
        let (reason, remaining) = match reason {
            RejectReason::Open { remaining } => (Reason::Open, remaining),
            RejectReason::Busy { remaining } => (Reason::ProbesBusy, remaining),
            RejectReason::Forced => (Reason::ForcedOpen, 0),
        };
        let bits = REASON.bits_of(reason as u64 + 1)
            | GENERATION.bits_of(generation as u64)
            | NAME.bits_of(name)
            | bits_of_wait(remaining);
        match NonZeroU64::new(bits) {
            Some(bits) => Self(bits),
            // Never, as the reason is not 0.
            None => Self(NonZeroU64::MIN),
        }
    }

    #[inline]
    pub(super) const fn reason(self) -> Reason {
        match REASON.get(self.0.get()) - 1 {
            0 => Reason::Open,
            1 => Reason::ProbesBusy,
            _ => Reason::ForcedOpen,
        }
    }

    #[inline]
    pub(super) const fn generation(self) -> u16 {
        GENERATION.get(self.0.get()) as u16
    }

    #[cfg(feature = "std")]
    #[inline]
    pub(super) const fn name(self) -> u64 {
        NAME.get(self.0.get())
    }

    /// The ticks of [`Deadline`] before the next call; `None` for a wait without a known end.
    pub(super) const fn remaining(self) -> Option<u64> {
        if matches!(self.reason(), Reason::ForcedOpen) {
            return None;
        }
        let count = REMAINING.get(self.0.get());
        Some(if UNIT.get(self.0.get()) == 0 {
            count
        } else {
            count * TICKS_PER_SECOND + 1
        })
    }
}

/// The bits of a wait: in ticks if they fit, which is up to 69 minutes, and otherwise in seconds.
///
/// One tick of a wait is left out of its seconds, and [`RejectedBits::remaining`] adds that tick
/// again. Deadlines are up to a tick late, so a period of whole seconds would otherwise be rounded
/// up by a second.
#[inline]
const fn bits_of_wait(ticks: u64) -> u64 {
    if ticks <= REMAINING.max() {
        return REMAINING.bits_of(ticks);
    }
    let seconds = (ticks - 1).div_ceil(TICKS_PER_SECOND);
    UNIT.bits_of(1) | REMAINING.bits_of(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(remaining: u64) -> RejectedBits {
        RejectedBits::new(RejectReason::Open { remaining }, u16::MAX, 0)
    }

    #[test]
    fn a_rejection_gives_back_what_it_was_made_of() {
        for (made_of, reason, remaining) in [
            (RejectReason::Open { remaining: 7 }, Reason::Open, Some(7)),
            (
                RejectReason::Busy { remaining: 0 },
                Reason::ProbesBusy,
                Some(0),
            ),
            (RejectReason::Forced, Reason::ForcedOpen, None),
        ] {
            for generation in [0, 1, u16::MAX] {
                for name in [0, 1, NAME.max()] {
                    let bits = RejectedBits::new(made_of, generation, name);
                    assert_eq!(bits.reason(), reason);
                    assert_eq!(bits.generation(), generation);
                    assert_eq!(bits.remaining(), remaining);
                    assert_eq!(NAME.get(bits.0.get()), name);
                }
            }
        }
    }

    #[test]
    fn a_wait_of_up_to_69_minutes_is_kept_to_the_tick() {
        for ticks in [0, 1, 4_001, REMAINING.max()] {
            assert_eq!(open(ticks).remaining(), Some(ticks));
        }
    }

    #[test]
    fn a_longer_wait_is_rounded_up_to_seconds_and_never_down() {
        let hours = |hours: u64| hours * 3_600 * TICKS_PER_SECOND;
        for ticks in [REMAINING.max() + 1, hours(2), hours(60 * 24)] {
            let ends = ticks.div_ceil(TICKS_PER_SECOND) * TICKS_PER_SECOND + 1;
            for (more, kept) in [
                (0, ends),
                (1, ends + TICKS_PER_SECOND),
                (TICKS_PER_SECOND, ends + TICKS_PER_SECOND),
                (TICKS_PER_SECOND + 1, ends + 2 * TICKS_PER_SECOND),
            ] {
                assert_eq!(
                    open(ends + more).remaining(),
                    Some(kept),
                    "{ends} and {more}"
                );
            }
        }
    }
}

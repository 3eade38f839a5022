//! Ticks: the word's units of time, which wrap, and the one rule that compares them.
//!
//! A clock reading is in nanoseconds since any origin, and its tick is the floor of a division. An
//! end is the first tick that begins no sooner than its length after the reading at which it was
//! set. So nothing ends early, and everything ends less than one tick late.
//!
//! | | a tick | bits | wraps after |
//! |---|---|---|---|
//! | [`Deadline`] | 250 µs | 40 | 8.7 years |
//! | [`LeaseEnd`] | 4 ms | 28 | 12.4 days |
//!
//! **The rule**: an end is ahead iff `0 < (end - now) mod 2^bits <= longest`, where `longest` is
//! the longest interval that its word can represent, plus [`SLACK_MS`]. A wrap, a leap, a step back
//! or a reading of `u64::MAX` then costs at most one interval. (A comparison by half of the range
//! would block the breaker for days.)

use core::fmt;

/// The most by which clocks of two cores differ, or by which a reading is old. Milliseconds.
pub(crate) const SLACK_MS: u64 = 1_000;

const NANOS_PER_MS: u64 = 1_000_000;

/// A point in time, modulo 2^`BITS`, in ticks of `NANOS` nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Wrapping<const BITS: u32, const NANOS: u64>(u64);

/// The end of an open period.
pub(crate) type Deadline = Wrapping<40, 250_000>;
/// The end of a lease, at which the probes of a half-open period count as failed.
pub(crate) type LeaseEnd = Wrapping<28, 4_000_000>;

impl<const BITS: u32, const NANOS: u64> Wrapping<BITS, NANOS> {
    pub(crate) const BITS: u32 = BITS;
    const MASK: u64 = (1 << BITS) - 1;

    pub(crate) const fn new(ticks: u64) -> Self {
        Self(ticks & Self::MASK)
    }

    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    /// The tick of a clock reading.
    #[inline]
    pub(crate) const fn of(now: u64) -> Self {
        Self::new(now / NANOS)
    }

    /// The ticks that last at least `millis`. From a reading inside a tick to an end there is up to
    /// one more.
    #[inline]
    pub(crate) const fn ticks(millis: u64) -> u64 {
        const {
            assert!(NANOS.is_multiple_of(NANOS_PER_MS) || NANOS_PER_MS.is_multiple_of(NANOS));
        }
        if NANOS < NANOS_PER_MS {
            millis * (NANOS_PER_MS / NANOS)
        } else {
            millis.div_ceil(NANOS / NANOS_PER_MS)
        }
    }

    /// The length of `ticks` in milliseconds, for ticks of whole milliseconds.
    pub(crate) const fn millis(ticks: u64) -> u64 {
        const { assert!(NANOS.is_multiple_of(NANOS_PER_MS)) };
        ticks * (NANOS / NANOS_PER_MS)
    }

    /// The first tick that begins `millis` or more after this clock reading.
    pub(crate) const fn after(now: u64, millis: u64) -> Self {
        if NANOS_PER_MS.is_multiple_of(NANOS) {
            return Self::new(now.div_ceil(NANOS) + Self::ticks(millis));
        }
        let nanos = millis * NANOS_PER_MS;
        if let Some(end) = now.checked_add(nanos + NANOS - 1) {
            return Self::new(end / NANOS);
        }
        Self::new(now / NANOS + (now % NANOS + nanos).div_ceil(NANOS))
    }

    /// The ticks that have passed since `start`.
    pub(crate) const fn since(self, start: Self) -> u64 {
        self.0.wrapping_sub(start.0) & Self::MASK
    }

    /// The ticks from `now` to this end, if the rule above finds the end ahead.
    #[inline]
    pub(crate) const fn ahead_of(self, now: Self, longest: u64) -> Option<u64> {
        let remaining = self.since(now);
        if 0 < remaining && remaining <= longest {
            Some(remaining)
        } else {
            None
        }
    }
}

impl<const BITS: u32, const NANOS: u64> fmt::Debug for Wrapping<BITS, NANOS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_deadline_is_behind_exactly_when_it_is_reached() {
        for offset in [0, 1, 249_999, 250_000, 999_999] {
            let start = 7_000 * MS + offset;
            let end = Deadline::after(start, 10);
            let into_tick = u64::from(!start.is_multiple_of(250_000));
            let ahead = |now| end.ahead_of(Deadline::of(now), 41);
            assert_eq!(ahead(start), Some(40 + into_tick));
            assert!(ahead(start + 10 * MS - 1).is_some(), "{offset}");
            assert_eq!(ahead(start + 10 * MS + into_tick * 249_999), None);
        }
    }

    #[test]
    fn the_comparison_survives_the_wrap() {
        let start = Deadline::new(Deadline::MASK - 3);
        let end = Deadline::after(start.get() * 250_000, 10);
        assert_eq!(end.get(), 36);
        assert_eq!(end.ahead_of(start, 40), Some(40));
        assert_eq!(end.ahead_of(Deadline::new(0), 40), Some(36));
        assert_eq!(end.ahead_of(Deadline::new(36), 40), None);
    }

    #[test]
    fn an_end_farther_away_than_any_interval_is_behind() {
        let end = Deadline::new(1_000);
        assert_eq!(end.ahead_of(Deadline::new(0), 999), None);
        assert_eq!(end.ahead_of(Deadline::of(u64::MAX), 999), None);
        assert_eq!(end.ahead_of(Deadline::new(1), 999), Some(999));
    }

    #[test]
    fn an_end_is_the_first_tick_that_is_not_early() {
        for (now, millis, tick) in [
            (0, 10, 3),
            (0, 12, 3),
            (1, 12, 4),
            (1_000_000, 10, 3),
            (3_999_999, 12, 4),
            (3_999_999, 13, 5),
            (4_000_000, 12, 4),
        ] {
            assert_eq!(LeaseEnd::after(now, millis).get(), tick, "{now} {millis}");
        }
        let last = Deadline::of(u64::MAX);
        assert_eq!(Deadline::after(u64::MAX, 0).since(last), 1);
        assert_eq!(Deadline::after(u64::MAX, 10).since(last), 41);
    }

    #[test]
    fn a_lease_is_rounded_up_to_its_tick() {
        assert_eq!(LeaseEnd::ticks(10), 3);
        assert_eq!(LeaseEnd::ticks(12), 3);
        assert_eq!(LeaseEnd::ticks(0), 0);
    }

    #[test]
    fn a_tick_is_shown_as_its_number() {
        assert_eq!(format!("{:?}", Deadline::new(42)), "42");
    }
}

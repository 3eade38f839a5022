//! The longest time for which a dependency asked to be left alone (failure-for), in the period that stands.
//!
//! ```text
//! hint    generation 16 | known 1 | end 47 (µs)
//! ```
//!
//! A failure notes its hint before it is recorded. The failure that trips looks the hint up after it has seen
//! what it trips on, so the hint of every failure that it counts is there, also of one that another thread
//! recorded for its owner. A hint decides nothing but the length of the open period.
//!
//! **What wraps.** The generation after 65 536 periods (I27): a hint of exactly so long ago is taken for one of
//! this period if it still runs, which it does for an hour at most. Ends after 4.4 years, of which an hour counts.

use crate::sync::{AtomicU64, Ordering};

use super::{cell::Cell, rules::LONGEST_HINT_MS, tick::SLACK_MS, word::Period};

const END_BITS: u32 = 47;
const END: u64 = (1 << END_BITS) - 1;
/// Tells a hint that ends at 0 from none.
const KNOWN: u64 = 1 << END_BITS;
const GENERATION_SHIFT: u32 = END_BITS + 1;
const NANOS_PER_MICRO: u64 = 1_000;
const MICROS_PER_MS: u64 = 1_000;

/// The hint of the period that stands.
#[derive(Debug)]
pub(crate) struct Hints(AtomicU64);

impl Hints {
    /// Over an atomic that holds 0: no hint.
    pub(crate) const fn over(hint: AtomicU64) -> Self {
        Self(hint)
    }

    /// Notes that a call of `period`, whose word is in `word`, failed at `now` and hinted at `millis`, unless a
    /// hint that lasts longer is there.
    pub(crate) fn note(&self, word: &Cell, period: Period, now: u64, millis: u64) {
        let generation = period.generation();
        let end = (now / NANOS_PER_MICRO).wrapping_add(millis * MICROS_PER_MS) & END;
        let next = tag(generation) | end;
        // ORDERING: Relaxed, here and below. The CAS or the mark by which the failure is recorded publishes it,
        // and whoever counts that failure has acquired it: `cell`, `stamps`, `rate::sum`.
        let mut stands = self.0.load(Ordering::Relaxed);
        loop {
            let enough = match untagged(stands, generation) {
                Some(other) => rest(other, now) >= rest(end, now),
                // A hint of another period: an older one, unless this period is over, where nobody asks any more.
                None => !word.load().is_of(period),
            };
            if enough {
                return;
            }
            match self
                .0
                .compare_exchange_weak(stands, next, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(other) => stands = other,
            }
        }
    }

    /// The milliseconds for which the hint of a period still runs at `now`, rounded up; 0 without one.
    pub(crate) fn running(&self, period: Period, now: u64) -> u64 {
        let hint = self.0.load(Ordering::Relaxed);
        untagged(hint, period.generation()).map_or(0, |end| rest(end, now))
    }
}

/// The milliseconds from `now` to the end of a hint, which is over if that is longer than any hint.
const fn rest(end: u64, now: u64) -> u64 {
    let rest = end.wrapping_sub(now / NANOS_PER_MICRO) & END;
    if rest > (LONGEST_HINT_MS + SLACK_MS) * MICROS_PER_MS {
        return 0;
    }
    let millis = rest.div_ceil(MICROS_PER_MS);
    if millis < LONGEST_HINT_MS {
        millis
    } else {
        LONGEST_HINT_MS
    }
}

const fn tag(generation: u16) -> u64 {
    (generation as u64) << GENERATION_SHIFT | KNOWN
}

fn untagged(hint: u64, generation: u16) -> Option<u64> {
    (hint & !END == tag(generation)).then_some(hint & END)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::word::Word;

    const MS: u64 = 1_000_000;
    const HOUR: u64 = 3_600_000;

    fn hints() -> Hints {
        Hints::over(AtomicU64::new(0))
    }

    fn of(generation: u16) -> Word {
        (0..generation).fold(Word::new(0), |word, _| word.begin_closed(0))
    }

    fn note(hints: &Hints, word: Word, now: u64, millis: u64) {
        let cell = Cell::over(AtomicU64::new(word.bits()));
        hints.note(&cell, word.period(), now, millis);
    }

    #[test]
    fn the_longest_hint_runs_until_its_end() {
        let hints = hints();
        assert_eq!(hints.running(of(0).period(), 0), 0);
        note(&hints, of(0), 0, 10);
        note(&hints, of(0), 5 * MS, 4);
        assert_eq!(hints.running(of(0).period(), 5 * MS), 5);
        note(&hints, of(0), 5 * MS, 6);
        assert_eq!(hints.running(of(0).period(), 5 * MS), 6);
        assert_eq!(
            hints.running(of(0).period(), 11 * MS - 1_000),
            1,
            "rounded up"
        );
        assert_eq!(hints.running(of(0).period(), 11 * MS), 0);
    }

    #[test]
    fn a_hint_is_of_its_period() {
        let hints = hints();
        note(&hints, of(3), 0, 10);
        assert_eq!(
            (
                hints.running(of(2).period(), 0),
                hints.running(of(4).period(), 0)
            ),
            (0, 0)
        );
        note(&hints, of(4), 0, 7);
        assert_eq!(
            (
                hints.running(of(3).period(), 0),
                hints.running(of(4).period(), 0)
            ),
            (0, 7)
        );
    }

    #[test]
    fn a_late_failure_writes_over_no_hint_of_a_later_period() {
        for later in [1, 0x7FFF, 0x8000, u16::MAX] {
            let hints = hints();
            let cell = Cell::over(AtomicU64::new(of(later).bits()));
            hints.note(&cell, of(later).period(), 0, 10);
            hints.note(&cell, of(0).period(), 0, 20);
            assert_eq!(hints.running(of(later).period(), 0), 10, "{later}");
        }
    }

    #[test]
    fn any_clock_leaves_at_most_an_hour() {
        let hints = hints();
        note(&hints, of(0), 500_000 * MS, HOUR);
        for now in [0, 499_500 * MS, 500_000 * MS, u64::MAX] {
            assert!(hints.running(of(0).period(), now) <= HOUR, "{now}");
        }
        assert_eq!(
            hints.running(of(0).period(), 0),
            0,
            "a clock that stepped far back"
        );
        assert_eq!(
            hints.running(of(0).period(), 499_500 * MS),
            HOUR,
            "within the slack"
        );
    }
}

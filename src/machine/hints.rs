//! The longest running hint of the current period: how long a dependency asked to be left alone.
//!
//! ```text
//! hint    generation 16 | known 1 | end 47 (µs)
//! ```
//!
//! A failure stores its hint before the failure is recorded. The failure that trips reads the hint
//! after the failures that it trips on. So the hint of every counted failure is stored by then,
//! also that of a failure which another thread recorded for its owner. A hint decides nothing but
//! the length of the open period.
//!
//! **What wraps.** The generation after 65 536 periods (I27): a hint of exactly that age is taken
//! for one of this period while the hint runs, an hour at most. Ends wrap after 4.4 years, of which
//! an hour counts.

use crate::sync::{AtomicU64, Ordering};

use super::{rules::LONGEST_HINT_MS, tick::SLACK_MS, word::Period};

const END_BITS: u32 = 47;
const END: u64 = (1 << END_BITS) - 1;
/// Distinguishes a hint that ends at 0 from no hint.
const KNOWN: u64 = 1 << END_BITS;
const GENERATION_SHIFT: u32 = END_BITS + 1;
const NANOS_PER_MICRO: u64 = 1_000;
const MICROS_PER_MS: u64 = 1_000;

/// The hint of the current period.
#[derive(Debug)]
pub(crate) struct Hints(AtomicU64);

impl Hints {
    /// No hint, in an atomic that holds 0.
    pub(crate) const fn over(hint: AtomicU64) -> Self {
        Self(hint)
    }

    /// Stores the hint of a call of `period` that failed at `now`, unless a longer one is stored.
    /// `is_current` asks the word whether the period is current.
    pub(crate) fn note(
        &self,
        period: Period,
        now: u64,
        millis: u64,
        is_current: impl Fn() -> bool,
    ) {
        let generation = period.generation();
        let end = (now / NANOS_PER_MICRO).wrapping_add(millis * MICROS_PER_MS) & END;
        let next = tag(generation) | end;
        // ORDERING: Relaxed, here and below. The CAS or the entry that records the failure
        // publishes the hint, and a thread that counts the failure has acquired it: `atomic_word`,
        // `failure_ring`, `time_buckets::sum`.
        let mut noted = self.0.load(Ordering::Relaxed);
        loop {
            let enough = match untagged(noted, generation) {
                Some(other) => remaining(other, now) >= remaining(end, now),
                // The hint of an older period, unless this period is over: then no failure of it
                // trips.
                None => !is_current(),
            };
            if enough {
                return;
            }
            match self
                .0
                .compare_exchange_weak(noted, next, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(other) => noted = other,
            }
        }
    }

    /// The milliseconds for which the hint of a period still runs at `now`, rounded up; 0 without a
    /// hint.
    pub(crate) fn running(&self, period: Period, now: u64) -> u64 {
        let hint = self.0.load(Ordering::Relaxed);
        untagged(hint, period.generation()).map_or(0, |end| remaining(end, now))
    }
}

/// The milliseconds from `now` to the end of a hint. A time longer than any hint means that it
/// ended.
const fn remaining(end: u64, now: u64) -> u64 {
    let remaining = end.wrapping_sub(now / NANOS_PER_MICRO) & END;
    if remaining > (LONGEST_HINT_MS + SLACK_MS) * MICROS_PER_MS {
        return 0;
    }
    let millis = remaining.div_ceil(MICROS_PER_MS);
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
    use super::{super::word::Word, *};

    const MS: u64 = 1_000_000;
    const HOUR: u64 = 3_600_000;

    fn hints() -> Hints {
        Hints::over(AtomicU64::new(0))
    }

    fn of(generation: u16) -> Word {
        (0..generation).fold(Word::new(0), |word, _| word.begin_closed(0))
    }

    fn note(hints: &Hints, word: Word, now: u64, millis: u64) {
        hints.note(word.period(), now, millis, || true);
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
    fn a_late_failure_overwrites_no_hint_of_a_later_period() {
        for later in [1, 0x7FFF, 0x8000, u16::MAX] {
            let hints = hints();
            hints.note(of(later).period(), 0, 10, || true);
            hints.note(of(0).period(), 0, 20, || false);
            assert_eq!(hints.running(of(later).period(), 0), 10, "{later}");
        }
    }

    #[test]
    fn any_clock_leaves_at_most_an_hour() {
        let (hints, given) = (hints(), 500_000 * MS);
        note(&hints, of(0), given, HOUR);
        let running = |now| hints.running(of(0).period(), now);
        for now in [0, given - 500 * MS, given, u64::MAX] {
            assert!(running(now) <= HOUR, "{now}");
        }
        assert_eq!(running(0), 0, "a clock that stepped far back");
        assert_eq!(running(given - SLACK_MS * MS), HOUR, "within the slack");
        assert_eq!(running(given - SLACK_MS * MS - 1_000), 0, "and no more");
    }

    #[test]
    fn a_hint_that_ends_at_zero_differs_from_none() {
        let before = (END - 9) * NANOS_PER_MICRO;
        let hints = hints();
        assert_eq!(hints.running(of(0).period(), before), 0);
        note(&hints, of(0), (END + 1) * NANOS_PER_MICRO - 10 * MS, 10);
        assert_eq!(hints.running(of(0).period(), before), 1);
    }
}

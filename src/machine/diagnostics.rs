//! Diagnostics kept outside the word: when the period began, and the counts that tripped. No
//! decision depends on them.
//!
//! ```text
//! since   generation 16 | known 1 | tick 47 (250 µs)
//! counts  generation 16 | failures 24 | calls 24, both saturate
//! ```
//!
//! A cell holds a *note* about one period, with the generation of that period. A reader that finds
//! another generation reports nothing. The thread whose CAS made a transition writes both cells
//! afterwards; until then that period has no diagnostics. A thread that is late in recording an
//! older transition never overwrites a newer note. If that thread held the trip's counts, they are
//! lost for this outage. Of two generations, the newer one is fewer transitions behind the word's.
//!
//! **What wraps.** Ticks, after 1 115 years, longer than a 64-bit clock runs: half of them are
//! behind a reading and half are ahead, and a tick that is ahead reads as now. A thread that stops
//! for 65 536 transitions or more before it writes can write a note of a period that is over. The
//! next transition's note replaces it.

use crate::sync::{AtomicU64, Ordering};

use super::{
    step::{Cause, RawTransition},
    tick::Wrapping,
    trip::Count,
    word::State,
};

const GENERATION_SHIFT: u32 = 48;
/// The beginning of a period, in the ticks of a deadline with more bits.
pub(crate) type PeriodStart = Wrapping<47, 250_000>;
/// Distinguishes a transition at tick 0 from no transition.
const KNOWN: u64 = 1 << PeriodStart::BITS;
const FAILURES_SHIFT: u32 = 24;
const COUNT_MASK: u64 = (1 << FAILURES_SHIFT) - 1;

/// The two cells, which no call touches unless it makes a transition.
#[derive(Debug)]
pub(crate) struct Diagnostics {
    period_start: AtomicU64,
    counts: AtomicU64,
}

impl Diagnostics {
    /// No diagnostics, in two atomics that hold 0. The beginning of generation 0 is unknown.
    pub(crate) const fn over(period_start: AtomicU64, counts: AtomicU64) -> Self {
        Self {
            period_start,
            counts,
        }
    }

    /// Records a transition that was made at `now`; `newest` loads the generation of the word. The
    /// counts that tripped are kept until the breaker recovers or an operator replaces the state.
    pub(crate) fn write(&self, change: &RawTransition, now: u64, newest: impl Fn() -> u16) {
        let generation = change.generation;
        let count = match change.to {
            State::Open | State::HalfOpen if change.cause != Cause::Operator => change
                .count
                .or_else(|| self.count(generation.wrapping_sub(1))),
            _ => None,
        };
        let Count { failures, calls } = count.unwrap_or_default();
        let part = |n: u32| u64::from(n).min(COUNT_MASK);
        put(
            &self.period_start,
            &newest,
            generation,
            KNOWN | PeriodStart::of(now).get(),
        );
        let counts = (part(failures) << FAILURES_SHIFT) | part(calls);
        put(&self.counts, &newest, generation, counts);
    }

    /// The beginning of the period of `generation`.
    pub(crate) fn period_start(&self, generation: u16) -> Option<PeriodStart> {
        let ticks = untagged(self.period_start.load(Ordering::Relaxed), generation)?;
        (ticks & KNOWN != 0).then(|| PeriodStart::new(ticks))
    }

    /// The counts that began the outage to which the period of `generation` belongs.
    pub(crate) fn count(&self, generation: u16) -> Option<Count> {
        let counts = untagged(self.counts.load(Ordering::Relaxed), generation)?;
        let part = |bits: u64| u32::try_from(bits & COUNT_MASK).unwrap_or(u32::MAX);
        (counts != 0).then(|| Count {
            failures: part(counts >> FAILURES_SHIFT),
            calls: part(counts),
        })
    }
}

/// Stores `value` for the period of `generation`, unless the cell holds that of a later one.
fn put(cell: &AtomicU64, newest: &impl Fn() -> u16, generation: u16, value: u64) {
    let next = (u64::from(generation) << GENERATION_SHIFT) | value;
    // ORDERING: Acquire, here and where the CAS fails; pairs with the Release of the CAS. A thread
    // that reads a note finds the word at least as new as that note's transition. Without it a
    // later note could seem to lie far behind the word, and be overwritten. (Readers are Relaxed: a
    // cell is complete in itself and carries its generation.)
    let mut current = cell.load(Ordering::Acquire);
    loop {
        let newest = newest();
        let behind = |generation: u16| newest.wrapping_sub(generation);
        if behind(generation) > behind(generation_of(current)) {
            return;
        }
        match cell.compare_exchange(current, next, Ordering::Release, Ordering::Acquire) {
            Ok(_) => return,
            Err(other) => current = other,
        }
    }
}

fn untagged(cell: u64, generation: u16) -> Option<u64> {
    (generation_of(cell) == generation).then_some(cell & ((1 << GENERATION_SHIFT) - 1))
}

const fn generation_of(cell: u64) -> u16 {
    (cell >> GENERATION_SHIFT) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnostics() -> Diagnostics {
        Diagnostics::over(AtomicU64::new(0), AtomicU64::new(0))
    }

    /// Writes at once, as the thread that made the last transition, if it does not stop.
    fn write(diagnostics: &Diagnostics, change: &RawTransition, now: u64) {
        diagnostics.write(change, now, || change.generation);
    }

    fn change(to: State, generation: u16, count: Option<Count>) -> RawTransition {
        RawTransition {
            from: State::Closed,
            to,
            generation,
            cause: Cause::Tripped,
            count,
            reopens: 0,
            open_ms: None,
        }
    }

    #[test]
    fn the_first_period_has_no_notes() {
        assert_eq!(diagnostics().period_start(0), None);
        assert_eq!(diagnostics().count(0), None);
    }

    #[test]
    fn a_record_of_generation_0_replaces_none() {
        let diagnostics = diagnostics();
        write(&diagnostics, &change(State::Open, 0, None), 1_000_000);
        assert_eq!(diagnostics.period_start(0), Some(PeriodStart::new(4)));
    }

    #[test]
    fn a_reader_of_another_period_finds_none() {
        let diagnostics = diagnostics();
        write(&diagnostics, &change(State::Open, 7, None), 1_000_000);
        assert_eq!(diagnostics.period_start(7), Some(PeriodStart::new(4)));
        assert_eq!(diagnostics.period_start(8), None);
        assert_eq!(diagnostics.period_start(6), None);
    }

    #[test]
    fn a_late_writer_overwrites_nothing_newer() {
        let diagnostics = diagnostics();
        for generation in [1, 30_000, 60_000, u16::MAX - 1, u16::MAX, 0] {
            let last = generation.wrapping_add(1);
            let newest = || last;
            diagnostics.write(&change(State::Closed, last, None), 2_000_000, newest);
            diagnostics.write(&change(State::Open, generation, None), 1_000_000, newest);
            assert_eq!(diagnostics.period_start(last), Some(PeriodStart::new(8)));
        }
    }

    #[test]
    fn a_writer_that_stopped_for_half_the_generations_overwrites_nothing_newer() {
        for passed in [1, 0x7FFF, 0x8000, 40_000, u16::MAX] {
            let (diagnostics, newest) = (diagnostics(), || passed);
            diagnostics.write(&change(State::Closed, passed, None), 2_000_000, newest);
            diagnostics.write(&change(State::Open, 0, None), 1_000_000, newest);
            assert_eq!(
                diagnostics.period_start(passed),
                Some(PeriodStart::new(8)),
                "{passed}"
            );
            let next = passed.wrapping_add(1);
            write(&diagnostics, &change(State::Open, next, None), 3_000_000);
            assert_eq!(
                diagnostics.period_start(next),
                Some(PeriodStart::new(12)),
                "{passed}"
            );
        }
    }

    #[test]
    fn the_counts_of_a_trip_last_until_recovery() {
        let diagnostics = diagnostics();
        let count = Count {
            failures: 3,
            calls: 9,
        };
        write(&diagnostics, &change(State::Open, 1, Some(count)), 0);
        assert_eq!(diagnostics.count(1), Some(count));
        write(&diagnostics, &change(State::HalfOpen, 2, None), 0);
        write(&diagnostics, &change(State::Open, 3, None), 0);
        assert_eq!(diagnostics.count(3), Some(count));
        write(&diagnostics, &change(State::Closed, 4, None), 0);
        assert_eq!(diagnostics.count(4), None);
    }

    #[test]
    fn counts_saturate_and_change_no_other_field() {
        let diagnostics = diagnostics();
        for most in [(1 << 24) - 1, 1 << 24, u32::MAX] {
            let count = Count {
                failures: most,
                calls: most,
            };
            write(&diagnostics, &change(State::Open, 1, Some(count)), 0);
            let saturated = most.min((1 << 24) - 1);
            let expected = Count {
                failures: saturated,
                calls: saturated,
            };
            assert_eq!(diagnostics.count(1), Some(expected));
        }
    }

    #[test]
    fn an_operator_replaces_the_counts_too() {
        let diagnostics = diagnostics();
        let tripped = change(
            State::Open,
            1,
            Some(Count {
                failures: 3,
                calls: 9,
            }),
        );
        write(&diagnostics, &tripped, 0);
        let cause = Cause::Operator;
        write(
            &diagnostics,
            &RawTransition {
                cause,
                ..change(State::Open, 2, None)
            },
            0,
        );
        assert_eq!(diagnostics.count(2), None);
        assert_eq!(
            diagnostics.period_start(2),
            Some(PeriodStart::new(0)),
            "tick 0 is a time like any other"
        );
    }

    #[test]
    fn a_missed_transition_loses_the_counts_and_nothing_else() {
        let diagnostics = diagnostics();
        let count = Count {
            failures: 3,
            calls: 9,
        };
        write(&diagnostics, &change(State::Open, 1, Some(count)), 0);
        write(&diagnostics, &change(State::Open, 3, None), 9_000_000);
        assert_eq!(diagnostics.count(3), None);
        assert_eq!(diagnostics.period_start(3), Some(PeriodStart::new(36)));
    }
}

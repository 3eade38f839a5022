//! Diagnostics kept outside the word: when the period began, and the counts that tripped. No
//! decision depends on them.
//!
//! ```text
//! since   generation 16 | known 1 | tick 47 (250 µs)
//! counts  generation 16 | failures 24 | calls 24, both saturate
//! ```
//!
//! A cell holds a *note* about one period, with the generation of that period. A reader that finds
//! another generation reports nothing. The thread whose CAS made a transition writes the notes
//! afterwards; until then that period has no diagnostics. A thread that is late in recording an
//! older transition never overwrites a newer note. Of two generations, the newer one is fewer
//! transitions behind the word's.
//!
//! Each period has a start. Only an open period has counts, and each one writes them: a trip those
//! that tripped, a reopening those of the open period two generations before, an operator's command
//! none. A half-open period reads the counts of the open period before it. If the thread that
//! tripped is late until the breaker reopened, its counts are lost for this outage.
//!
//! **What wraps.** Ticks, after 1 115 years, longer than a 64-bit clock runs: half of them are
//! behind a reading and half are ahead, and a tick that is ahead reads as now. A thread that stops
//! for 65 536 transitions or more before it writes can write a note of a period that is over. The
//! next transition's note replaces it.

use crate::sync::{AtomicU64, Ordering};

use super::{
    step::Event,
    tick::Wrapping,
    trip::Count,
    word::{State, Word},
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

    /// Records that the period of `generation` began at `now`; `newest` loads the generation of the
    /// word.
    #[inline]
    pub(crate) fn write_start(&self, generation: u16, now: u64, newest: impl Fn() -> u16) {
        let start = KNOWN | PeriodStart::of(now).get();
        put(&self.period_start, newest, generation, start);
    }

    /// Records the counts of an open period, which an event began: those of a trip, or else those
    /// of the outage so far, unless the event is an operator's command.
    pub(crate) fn write_counts(
        &self,
        generation: u16,
        event: Event,
        trip: Option<Count>,
        newest: impl Fn() -> u16,
    ) {
        let reopened = || match event {
            Event::Operate => None,
            Event::Admit | Event::Record => self.count_of(generation.wrapping_sub(2)),
        };
        let Count { failures, calls } = trip.or_else(reopened).unwrap_or_default();
        let part = |n: u32| u64::from(n).min(COUNT_MASK);
        let counts = (part(failures) << FAILURES_SHIFT) | part(calls);
        put(&self.counts, newest, generation, counts);
    }

    /// The beginning of the period of `generation`.
    pub(crate) fn period_start(&self, generation: u16) -> Option<PeriodStart> {
        let ticks = untagged(self.period_start.load(Ordering::Relaxed), generation)?;
        (ticks & KNOWN != 0).then(|| PeriodStart::new(ticks))
    }

    /// The counts that began the outage to which the period of `word` belongs.
    pub(crate) fn count(&self, word: Word) -> Option<Count> {
        match word.state() {
            State::Open => self.count_of(word.generation()),
            State::HalfOpen => self.count_of(word.generation().wrapping_sub(1)),
            State::Closed | State::ForcedOpen | State::Disabled => None,
        }
    }

    /// The note of the open period of `generation`.
    fn count_of(&self, generation: u16) -> Option<Count> {
        let counts = untagged(self.counts.load(Ordering::Relaxed), generation)?;
        let part = |bits: u64| u32::try_from(bits & COUNT_MASK).unwrap_or(u32::MAX);
        (counts != 0).then(|| Count {
            failures: part(counts >> FAILURES_SHIFT),
            calls: part(counts),
        })
    }
}

/// Stores `value` for the period of `generation`, unless the cell holds that of a later one.
#[inline]
fn put(cell: &AtomicU64, newest: impl Fn() -> u16, generation: u16, value: u64) {
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
    use super::{
        super::{
            tick::{Deadline, LeaseEnd},
            word::{Open, Origin},
        },
        *,
    };

    fn diagnostics() -> Diagnostics {
        Diagnostics::over(AtomicU64::new(0), AtomicU64::new(0))
    }

    /// Writes at once, as the thread that made the last transition, if it does not stop.
    fn begin(diagnostics: &Diagnostics, generation: u16, now: u64) {
        diagnostics.write_start(generation, now, || generation);
    }

    fn open(diagnostics: &Diagnostics, generation: u16, event: Event, trip: Option<Count>) {
        diagnostics.write_counts(generation, event, trip, || generation);
    }

    fn failures(failures: u32, calls: u32) -> Count {
        Count { failures, calls }
    }

    /// A word of this generation: open, the half-open one after it, and the closed one after that.
    fn outage(generation: u16) -> [Word; 3] {
        let before = (1..generation).fold(Word::new(0), |word, _| word.begin_closed(0));
        let open = before.begin_open(Open {
            reopens: 0,
            origin: Origin::Policy,
            deadline: Deadline::new(0),
        });
        let half_open = open.begin_half_open(0, LeaseEnd::new(0));
        [open, half_open, half_open.begin_closed(0)]
    }

    #[test]
    fn the_first_period_has_no_notes() {
        assert_eq!(diagnostics().period_start(0), None);
        assert_eq!(diagnostics().count_of(0), None);
    }

    #[test]
    fn a_record_of_generation_0_replaces_none() {
        let diagnostics = diagnostics();
        begin(&diagnostics, 0, 1_000_000);
        assert_eq!(diagnostics.period_start(0), Some(PeriodStart::new(4)));
        begin(&diagnostics, 1, 0);
        let start = diagnostics.period_start(1);
        assert_eq!(
            start,
            Some(PeriodStart::new(0)),
            "tick 0 is a time like any other"
        );
    }

    #[test]
    fn a_reader_of_another_period_finds_none() {
        let diagnostics = diagnostics();
        begin(&diagnostics, 7, 1_000_000);
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
            let count = Some(failures(2, 4));
            diagnostics.write_start(last, 2_000_000, newest);
            diagnostics.write_counts(last, Event::Record, count, newest);
            diagnostics.write_start(generation, 1_000_000, newest);
            diagnostics.write_counts(generation, Event::Record, Some(failures(1, 1)), newest);
            assert_eq!(diagnostics.period_start(last), Some(PeriodStart::new(8)));
            assert_eq!(diagnostics.count_of(last), count);
        }
    }

    #[test]
    fn a_writer_that_stopped_for_half_the_generations_overwrites_nothing_newer() {
        for passed in [1, 0x7FFF, 0x8000, 40_000, u16::MAX] {
            let (diagnostics, newest) = (diagnostics(), || passed);
            diagnostics.write_start(passed, 2_000_000, newest);
            diagnostics.write_start(0, 1_000_000, newest);
            assert_eq!(
                diagnostics.period_start(passed),
                Some(PeriodStart::new(8)),
                "{passed}"
            );
            let next = passed.wrapping_add(1);
            begin(&diagnostics, next, 3_000_000);
            assert_eq!(
                diagnostics.period_start(next),
                Some(PeriodStart::new(12)),
                "{passed}"
            );
        }
    }

    #[test]
    fn the_counts_of_a_trip_last_until_recovery() {
        let (diagnostics, count) = (diagnostics(), failures(3, 9));
        open(&diagnostics, 1, Event::Record, Some(count));
        let [tripped, probing, closed] = outage(1);
        assert_eq!(diagnostics.count(tripped), Some(count));
        assert_eq!(diagnostics.count(probing), Some(count));
        assert_eq!(diagnostics.count(closed), None);
        for (reopened, event) in [(3, Event::Record), (5, Event::Admit)] {
            open(&diagnostics, reopened, event, None);
            let [open, probing, closed] = outage(reopened);
            assert_eq!(diagnostics.count(open), Some(count));
            assert_eq!(diagnostics.count(probing), Some(count));
            assert_eq!(diagnostics.count(closed), None);
        }
    }

    #[test]
    fn counts_saturate_and_change_no_other_field() {
        let diagnostics = diagnostics();
        for most in [(1 << 24) - 1, 1 << 24, u32::MAX] {
            open(&diagnostics, 1, Event::Record, Some(failures(most, most)));
            let saturated = most.min((1 << 24) - 1);
            let expected = failures(saturated, saturated);
            assert_eq!(diagnostics.count_of(1), Some(expected));
        }
    }

    #[test]
    fn an_operator_replaces_the_counts_too() {
        let diagnostics = diagnostics();
        open(&diagnostics, 1, Event::Record, Some(failures(3, 9)));
        open(&diagnostics, 3, Event::Operate, None);
        assert_eq!(diagnostics.count_of(3), None);
    }

    #[test]
    fn a_missed_reopening_loses_the_counts() {
        let diagnostics = diagnostics();
        open(&diagnostics, 1, Event::Record, Some(failures(3, 9)));
        open(&diagnostics, 5, Event::Record, None);
        assert_eq!(diagnostics.count_of(5), None);
    }
}

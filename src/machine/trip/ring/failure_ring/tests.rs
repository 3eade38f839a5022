use super::*;
use crate::{
    Policy, Trip,
    machine::{
        hints::Hints,
        rules::tests::rules,
        step::{Command, Report, TimeSample, operate, record},
        trip::{CompiledWindow, payload::HEALTH},
        word::{Origin, Period, State},
    },
};
use core::time::Duration;

struct Scene {
    atomic_word: AtomicWord,
    hints: Hints,
    ring: FailureRing,
    rules: Rules,
}

impl Scene {
    fn new(trip: Trip) -> Self {
        let rules = rules(&Policy::new().trip(trip));
        let ring = match rules.trip_rule.window {
            Some(CompiledWindow::CallRing(kind)) => FailureRing::new(Stamp::Number, kind.ring()),
            Some(CompiledWindow::TimeRing(kind)) => FailureRing::new(Stamp::Time, kind.ring()),
            _ => panic!("{trip:?} has no ring"),
        };
        let word = Word::new(rules.trip_rule.fresh(0));
        Self {
            atomic_word: AtomicWord::over(AtomicU64::new(word.bits())),
            hints: Hints::over(AtomicU64::new(0)),
            ring,
            rules,
        }
    }

    fn failure(&self, micros: u64) -> FailedCall<'_> {
        FailedCall {
            period: self.atomic_word.load().period(),
            moment: at(micros),
            hints: &self.hints,
        }
    }

    fn fail(&self, micros: u64) -> Recorded {
        let failure = self.failure(micros);
        self.record(failure).verdict
    }

    fn record(&self, failure: FailedCall<'_>) -> Decided<Option<Count>, Recorded> {
        self.ring.fail(
            &self.atomic_word,
            self.atomic_word.load(),
            failure,
            &self.rules,
        )
    }

    fn succeed(&self) {
        let seen = self.atomic_word.load();
        let period = seen.period();
        let report = Report::Success { now: 0 };
        self.atomic_word.update(
            seen,
            (),
            || (),
            |word, ()| record(word, period, report, &self.rules),
        );
    }

    fn reset(&self) {
        let seen = self.atomic_word.load();
        self.atomic_word.update(
            seen,
            (),
            || (),
            |word, ()| operate(word, Command::Reset, &self.rules, at(0)),
        );
    }

    /// Writes the entry of a failure and stops there, as a thread may.
    fn write_entry_and_stop(&self, micros: u64) -> Period {
        let word = self.atomic_word.load();
        let view = self.ring.view(word).expect("closed");
        let position = view.payload.position();
        let stamp = view.stamp(self.failure(micros));
        let entry = Entry::new(word.generation(), position, stamp);
        assert!(view.replace(position, view.entry(position), entry));
        word.period()
    }

    fn state(&self) -> State {
        self.atomic_word.load().state()
    }

    fn counted(&self, micros: u64) -> (u32, u32) {
        let count = self.ring.count(self.atomic_word.load(), micros * 1_000);
        (count.failures, count.calls)
    }
}

fn at(micros: u64) -> TimeSample {
    TimeSample {
        now: micros * NANOS_PER_MICRO,
        salt: 0,
    }
}

fn three_of_last_100() -> Scene {
    Scene::new(Trip::failures(3).of_last(100))
}

#[test]
fn a_position_goes_round_and_back() {
    /// Calls, a run.
    const OTHER: u64 = 0xFFFF | HEALTH;
    let mut payload = Payload::new(OTHER);
    let mut positions = vec![payload.position()];
    for _ in 0..7 {
        payload = payload.with_next_position(3);
        positions.push(payload.position());
    }
    let seen: Vec<_> = positions.iter().map(|p| (p.index, p.lap)).collect();
    assert_eq!(seen[..4], [(0, false), (1, false), (2, false), (0, true)]);
    assert_eq!(seen[6], (0, false));
    assert_eq!(payload.bits() & OTHER, OTHER);
    for back in 0..3 {
        assert_eq!(before(positions[7], back, 3), positions[7 - back]);
    }
}

#[test]
fn an_entry_is_of_its_own_generation_and_lap_alone() {
    let all = [0, 1, 2, 0x7FFF, u16::MAX]
        .map(|generation| [false, true].map(|lap| (generation, Position { index: 0, lap })));
    let all = all.as_flattened();
    for &(generation, position) in all {
        let entry = Entry::new(generation, position, 7);
        assert_eq!(entry.stamp(), 7);
        for &(other, lap) in all {
            let same = (other, lap) == (generation, position);
            assert_eq!(entry.is_of(other, lap), same, "{generation} {other}");
        }
    }
}

#[test]
fn a_thread_that_finds_an_entry_written_advances_the_index_for_it() {
    let scene = three_of_last_100();
    scene.write_entry_and_stop(0);
    assert_eq!(scene.counted(0), (0, 0), "not recorded yet");
    assert_eq!(scene.fail(0), Recorded::Applied);
    assert_eq!(scene.counted(0), (2, 2), "both are");
}

#[test]
fn a_thread_that_is_helped_finds_its_failure_counted_once() {
    let scene = three_of_last_100();
    scene.write_entry_and_stop(0);
    scene.fail(0);
    // The stopped thread continues: the index has moved, so the thread does nothing.
    assert_eq!(scene.counted(0), (2, 2));
    assert_eq!(scene.fail(0), Recorded::Tripped);
}

#[test]
fn a_helper_that_trips_reports_it_and_is_stale_itself() {
    let scene = three_of_last_100();
    scene.fail(0);
    scene.fail(0);
    scene.write_entry_and_stop(0);
    let decided = scene.record(scene.failure(0));
    assert!(decided.is_transition(), "the helper tells");
    assert_eq!(decided.verdict, Recorded::Stale);
    assert_eq!(
        decided.prepared,
        Some(Count {
            failures: 3,
            calls: 3
        })
    );
    assert_eq!(scene.state(), State::Open);
}

#[test]
fn an_entry_that_successes_overtook_gets_the_number_of_its_call() {
    let scene = Scene::new(Trip::failures(2).of_last(50));
    scene.write_entry_and_stop(0);
    for _ in 0..60 {
        scene.succeed();
    }
    // The failure is recorded when the index advances, after those successes and right before
    // the next failure.
    let decided = scene.record(scene.failure(0));
    assert_eq!(decided.verdict, Recorded::Tripped);
    let both = Count {
        failures: 2,
        calls: 50,
    };
    assert_eq!(decided.prepared, Some(both));
}

/// A defect that a review found: two failures ended together, both with a hint, and neither
/// hint counted.
#[test]
fn a_helper_finds_the_hint_of_the_failure_that_it_completes() {
    let scene = Scene::new(Trip::failures(2).of_last(100));
    scene.fail(0);
    let period = scene.atomic_word.load().period();
    scene.hints.note(period, 0, 3_600_000, || true);
    scene.write_entry_and_stop(0);
    assert!(scene.record(scene.failure(0)).is_transition());
    let Phase::Open(open) = scene.atomic_word.load().phase() else {
        panic!("not open");
    };
    assert_eq!(open.origin, Origin::Hint);
    assert_eq!(open.deadline.get(), 3_600 * 4_000);
}

#[test]
fn no_more_failures_are_counted_than_trip() {
    let scene = Scene::new(Trip::percent(1).min_calls(3).of_last(100));
    scene.fail(0);
    scene.fail(0);
    assert_eq!(scene.counted(0), (1, 2), "a ring of one has two cells");
    let decided = scene.record(scene.failure(0));
    let counted = Count {
        failures: 1,
        calls: 3,
    };
    assert_eq!(decided.prepared, Some(counted));
}

/// A defect that a review found. The corrected number of an entry was read after the word, and
/// was that of a later lap if the thread had stopped in between.
#[test]
fn an_advance_that_stopped_for_65_536_calls_corrects_nothing() {
    let scene = Scene::new(Trip::failures(3).of_last(50));
    scene.write_entry_and_stop(0);
    let seen = scene.atomic_word.load();
    let view = scene.ring.view(seen).expect("closed");
    let current = view.entry(view.payload.position());
    let failure = scene.failure(0);
    let stamp = view.stamp(failure);
    for _ in 0..1_400 {
        assert_eq!(scene.fail(0), Recorded::Applied);
        (0..49).for_each(|_| scene.succeed());
    }
    let marks = || -> Vec<u64> {
        let cells = scene.ring.entries.iter();
        cells.map(|entry| entry.load(Ordering::Relaxed)).collect()
    };
    let before = marks();
    let advanced = view.advance(current, stamp, &scene.atomic_word, failure, &scene.rules);
    assert!(advanced.is_err(), "the word has moved on");
    assert_eq!(marks(), before);
}

#[test]
fn an_entry_of_an_earlier_period_counts_for_nothing() {
    let scene = three_of_last_100();
    scene.write_entry_and_stop(0);
    scene.fail(0);
    scene.reset();
    assert_eq!(scene.counted(0), (0, 0));
    assert_eq!(scene.fail(0), Recorded::Applied);
    assert_eq!(scene.fail(0), Recorded::Applied);
    assert_eq!(scene.counted(0), (2, 2));
}

#[test]
fn a_delayed_writer_of_an_earlier_period_writes_nothing() {
    let scene = three_of_last_100();
    let late = scene.failure(0);
    scene.reset();
    assert_eq!(scene.record(late).verdict, Recorded::Stale);
    assert_eq!(scene.counted(0), (0, 0));
}

#[test]
fn the_ring_goes_round() {
    let scene = three_of_last_100();
    for _ in 0..50 {
        assert_eq!(scene.fail(0), Recorded::Applied);
        assert_eq!(scene.fail(0), Recorded::Applied);
        for _ in 0..100 {
            scene.succeed();
        }
        assert_eq!(scene.counted(0), (0, 100));
    }
    for _ in 0..2 {
        scene.fail(0);
    }
    assert_eq!(scene.fail(0), Recorded::Tripped);
}

#[test]
fn calls_that_wrap_in_the_word_are_numbered_on_in_the_entries() {
    let scene = Scene::new(Trip::failures(2).of_last(100));
    // A failure every 101 calls never trips, through several wraps of the word's 16 bits.
    for _ in 0..2_000 {
        assert_eq!(scene.fail(0), Recorded::Applied);
        for _ in 0..99 {
            scene.succeed();
        }
        assert_eq!(scene.counted(0), (1, 100));
        scene.succeed();
    }
}

/// A defect that a loom model found: after two laps of its ring the word was the same again.
#[test]
fn a_word_is_another_after_two_laps() {
    let scene = Scene::new(Trip::failures(2).within(Duration::from_millis(10)));
    let before = scene.atomic_word.load();
    for lap in 0..2 {
        scene.fail(lap * 100_000);
        scene.fail(lap * 100_000 + 50_000);
    }
    let after = scene.atomic_word.load();
    let position = |word: Word| Payload::new(word.payload()).position();
    assert_eq!(position(before), position(after));
    assert_ne!(before, after);
}

#[test]
fn a_time_that_steps_back_is_the_newest_one() {
    let scene = Scene::new(Trip::failures(3).within(Duration::from_millis(10)));
    scene.fail(50_000);
    scene.fail(40_000);
    assert_eq!(scene.counted(50_000), (2, 2));
    assert_eq!(scene.fail(59_999), Recorded::Tripped);
}

#[test]
fn a_time_of_up_to_half_the_range_later_is_later() {
    for (micros, recorded) in [
        (STAMP / 2, Recorded::Applied),
        (STAMP / 2 + 1, Recorded::Tripped),
    ] {
        let scene = Scene::new(Trip::failures(2).within(Duration::from_millis(10)));
        scene.fail(0);
        assert_eq!(scene.fail(micros), recorded, "{micros}");
    }
}

#[test]
fn no_time_is_taken_for_an_empty_cell() {
    let scene = Scene::new(Trip::failures(2).within(Duration::from_millis(10)));
    scene.fail(STAMP);
    assert_eq!(scene.fail(STAMP), Recorded::Tripped);
}

#[test]
fn an_age_of_exactly_the_window_is_too_old() {
    let scene = Scene::new(Trip::failures(2).within(Duration::from_millis(10)));
    scene.fail(0);
    assert_eq!(scene.fail(10_000), Recorded::Applied);
    assert_eq!(scene.fail(19_999), Recorded::Tripped);
}

#[test]
fn a_single_failure_can_be_one_too_many() {
    for trip in [
        Trip::failures(1).of_last(1_000),
        Trip::failures(1).within(Duration::from_secs(1)),
        Trip::percent(1).min_calls(1).of_last(100),
    ] {
        assert_eq!(Scene::new(trip).fail(7), Recorded::Tripped);
    }
}

#[test]
fn the_largest_ring_holds_as_many_as_trip() {
    let scene = Scene::new(Trip::percent(100).of_last(4_096));
    for _ in 1..4_096 {
        assert_eq!(scene.fail(0), Recorded::Applied);
    }
    let decided = scene.record(scene.failure(0));
    assert_eq!(decided.verdict, Recorded::Tripped);
    let all = Count {
        failures: 4_096,
        calls: 4_096,
    };
    assert_eq!(decided.prepared, Some(all));
}

#[test]
fn a_run_trips_a_trip_with_a_ring_too() {
    let trip = Trip::failures(50).of_last(100).or(Trip::consecutive(3));
    let scene = Scene::new(trip);
    scene.fail(0);
    scene.fail(0);
    scene.succeed();
    scene.fail(0);
    scene.fail(0);
    assert_eq!(scene.fail(0), Recorded::Tripped);
}

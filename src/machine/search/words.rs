//! Properties of every reachable word, for any permit.

use super::{
    super::{
        fast_path::FastPath,
        legal::is_legal,
        rules::Rules,
        step::{AdmitVerdict, Recorded, Report, TimeSample, admit, admit::RejectReason, record},
        tick::{Deadline, SLACK_MS},
        trip::TripRule,
        word::{HalfOpen, Hold, Open, Origin, Period, Phase, State, Word},
    },
    canonical::{pack, with_generation},
    configuration::HeldPermit,
    edges::{
        admission::{SLACK_TICKS, lease_ticks},
        policy_interval,
    },
    inputs::{
        ANY_TIME, DEADLINE_TICK, MS, WRAP, at, deadline_nanos, later, lease_end_nanos, moments,
    },
};

pub(super) fn check(word: Word, rules: &Rules) {
    i17_the_word_equals_its_packed_parts(word, rules);
    i4_a_stale_outcome_is_reported_stale(word, rules);
    the_fast_path_of_an_admission_agrees_with_admit(word, rules);
    the_fast_path_of_a_success_agrees_with_record(word, rules);
    a_disabled_fast_path_rejects_every_word(word);
    match word.phase() {
        Phase::Open(open) => {
            i12_an_outcome_leaves_this_word_alone(word, rules);
            i10_past_the_deadline_the_next_admit_succeeds(word, open, rules);
            i16_no_clock_is_rejected_for_longer_than_the_longest_interval(word, open, rules);
        }
        Phase::HalfOpen(half_open) => i9_half_open_is_never_stuck(word, half_open, rules),
        Phase::Held(_) => {
            i12_an_outcome_leaves_this_word_alone(word, rules);
            i25_time_never_undoes_an_operator(word, rules);
        }
        Phase::Closed(_) => {}
    }
}

pub(super) const REPORTS: [Report; 3] = [
    Report::Success { now: 0 },
    Report::Ignored,
    Report::Failure {
        moment: TimeSample { now: 1, salt: 1 },
        hint_ms: 1,
    },
];

/// I17.
fn i17_the_word_equals_its_packed_parts(word: Word, rules: &Rules) {
    assert!(is_legal(word, rules), "I17: {word:?}");
    assert_eq!(pack(word.generation(), word.phase()), word, "I17");
    assert_eq!(word.is_closed(), word.state() == State::Closed, "I17");
}

/// I4, for all 65 535 older generations. The permit differs in its generation alone, which is the
/// hardest case. (A bare loop: it runs twenty million times, without optimisation.)
pub(super) fn i4_every_older_generation_is_stale(word: Word, rules: &Rules) {
    let mut generation = word.generation().wrapping_add(1);
    while generation != word.generation() {
        let permit = with_generation(word, generation).period();
        let step = record(word, permit, REPORTS[usize::from(generation % 3)], rules);
        let same = step.word.bits() == word.bits();
        assert!(same, "I4: {word:?} {permit:?}: {step:?}");
        generation = generation.wrapping_add(1);
    }
}

/// I4, for every state that may have given the permit, at ages that differ in each bit.
fn i4_a_stale_outcome_is_reported_stale(word: Word, rules: &Rules) {
    for age in (0..u16::BITS).map(|bit| 1 << bit) {
        for permit in HeldPermit::aged(age) {
            for report in REPORTS {
                i4_is_stale(word, permit.period(word), report, rules);
            }
        }
    }
}

fn i4_is_stale(word: Word, permit: Period, report: Report, rules: &Rules) {
    let step = record(word, permit, report, rules);
    let stale = step.word == word && step.verdict == Recorded::Stale;
    assert!(stale, "I4: {word:?} {permit:?} {report:?}");
    let fast_path = FastPath::new(rules).changes_nothing(word, permit);
    assert!(!fast_path, "I4: {word:?} {permit:?}");
}

/// The fast path admits exactly the closed words, and `admit` agrees without using the clock.
fn the_fast_path_of_an_admission_agrees_with_admit(word: Word, rules: &Rules) {
    assert_eq!(
        FastPath::new(rules).admits(word),
        word.is_closed(),
        "fast_path: {word:?}"
    );
    if word.is_closed() {
        for now in ANY_TIME {
            let step = admit(word, rules, at(now));
            let admitted = step.verdict == AdmitVerdict::Admitted(word.period());
            assert!(admitted && step.word == word, "fast_path: {word:?}");
        }
    }
}

/// The fast path skips exactly the reports that change nothing. (For a disabled word a success
/// changes nothing either, but is not applied.)
fn the_fast_path_of_a_success_agrees_with_record(word: Word, rules: &Rules) {
    let permit = word.period();
    if !can_have_permits(word) {
        return;
    }
    let step = record(word, permit, Report::Success { now: 0 }, rules);
    let nothing = step.word == word && step.verdict == Recorded::Applied;
    let fast_path = FastPath::new(rules).changes_nothing(word, permit);
    if rules.trip_rule.records_successes() && word.is_closed() {
        // The success counts in a bucket. It never takes the fast path, and skips the word if there
        // is no run to end.
        assert!(!fast_path, "fast_path: {word:?}");
        assert_eq!(TripRule::has_no_run(word), nothing, "run: {word:?}");
        return;
    }
    assert_eq!(fast_path, nothing, "fast_path: {word:?}");
}

/// A disabled fast path rejects every word.
fn a_disabled_fast_path_rejects_every_word(word: Word) {
    let none = FastPath::none();
    let never = !none.admits(word) && !none.changes_nothing(word, word.period());
    assert!(none.is_none() && never, "fast_path: {word:?}");
}

/// Whether a permit of this period can be outstanding (I5).
fn can_have_permits(word: Word) -> bool {
    match word.phase() {
        Phase::Closed(_) | Phase::Held(Hold::Disabled) => true,
        Phase::HalfOpen(half_open) => half_open.in_flight > 0,
        Phase::Open(_) | Phase::Held(Hold::ForcedOpen) => false,
    }
}

/// I9. Either a slot is free and every clock admits, or the lease ends and the next admission
/// reopens.
fn i9_half_open_is_never_stuck(word: Word, half_open: HalfOpen, rules: &Rules) {
    if half_open.in_flight < rules.probes {
        for moment in moments(word, rules) {
            let verdict = admit(word, rules, moment).verdict;
            assert!(matches!(verdict, AdmitVerdict::Admitted(_)), "I9: {word:?}");
        }
    } else {
        let end = lease_end_nanos(half_open.lease_end);
        let verdict = |now| admit(word, rules, at(now)).verdict;
        let busy = AdmitVerdict::Rejected(RejectReason::Busy { remaining: 1 });
        assert_eq!(verdict(end - 1), busy, "I9");
        assert_eq!(admit(word, rules, at(end)).word.state(), State::Open, "I9");
        for moment in moments(word, rules) {
            i9_no_clock_waits_longer_than_the_longest_lease(word, half_open, rules, moment.now);
        }
    }
}

/// I9, I16.
fn i9_no_clock_waits_longer_than_the_longest_lease(
    word: Word,
    half_open: HalfOpen,
    rules: &Rules,
    now: u64,
) {
    let lease = lease_ticks(rules, half_open.reopens) + 1;
    let longest = (lease + SLACK_TICKS) * 4 * MS;
    if let AdmitVerdict::Rejected(RejectReason::Busy { remaining }) =
        admit(word, rules, at(now)).verdict
    {
        let (first, _) = policy_interval(rules, 0);
        assert!(
            0 < remaining && remaining <= Deadline::ticks(first),
            "I9: {word:?}"
        );
        assert!(remaining * DEADLINE_TICK <= longest, "I9: {word:?}");
    }
    let at_once = admit(word, rules, at(now)).word.state();
    let in_time = admit(word, rules, later(now, longest)).word.state();
    let reopened = at_once == State::Open || in_time == State::Open;
    assert!(reopened, "I9: {word:?} from {now}");
}

/// I10, until the clock wraps: 8.7 years less one interval.
fn i10_past_the_deadline_the_next_admit_succeeds(word: Word, open: Open, rules: &Rules) {
    let deadline = deadline_nanos(open.deadline);
    let longest = rules.longest_open(open.reopens, open.origin) * DEADLINE_TICK;
    let last = WRAP - longest - 1;
    for past in [0, 1, DEADLINE_TICK, MS, 3_600_000 * MS, WRAP / 2, last] {
        let step = admit(word, rules, at(deadline + past));
        let AdmitVerdict::Admitted(permit) = step.verdict else {
            panic!("I10: {word:?}: {past} ns past the deadline");
        };
        assert!(permit.is_half_open(), "I10: {word:?}");
    }
    let before = admit(word, rules, at(deadline - 1)).verdict;
    assert_eq!(
        before,
        AdmitVerdict::Rejected(RejectReason::Open { remaining: 1 }),
        "I10"
    );
}

/// I16. From any clock reading, the call is admitted once the clock has advanced by the longest
/// interval.
fn i16_no_clock_is_rejected_for_longer_than_the_longest_interval(
    word: Word,
    open: Open,
    rules: &Rules,
) {
    let longest = longest_ms(open, rules) + SLACK_MS;
    for moment in moments(word, rules) {
        let remaining = match admit(word, rules, moment).verdict {
            AdmitVerdict::Rejected(RejectReason::Open { remaining }) => remaining,
            _ => 0,
        };
        assert!(
            remaining <= Deadline::ticks(longest) + 1,
            "I16: {word:?} {moment:?}"
        );
        let then = admit(word, rules, later(moment.now, remaining * DEADLINE_TICK));
        let admitted = matches!(then.verdict, AdmitVerdict::Admitted(_));
        assert!(admitted, "I16: {word:?} {moment:?}");
    }
}

/// The longest interval that an open word can represent.
fn longest_ms(open: Open, rules: &Rules) -> u64 {
    match open.origin {
        Origin::Policy => policy_interval(rules, open.reopens).1,
        Origin::Hint => 3_600_000,
        Origin::Operator => 30 * 86_400_000,
    }
}

/// I12, I25. This holds even for a permit of the word's own period, which an open word can get
/// after 65 536 transitions.
fn i12_an_outcome_leaves_this_word_alone(word: Word, rules: &Rules) {
    for report in REPORTS {
        let step = record(word, word.period(), report, rules);
        assert_eq!(step.word, word, "I12: {report:?}");
        assert_eq!(step.verdict, Recorded::Unrecorded, "I12: {report:?}");
    }
}

/// I25.
fn i25_time_never_undoes_an_operator(word: Word, rules: &Rules) {
    for now in [0, WRAP / 2, WRAP - 1, u64::MAX] {
        assert_eq!(admit(word, rules, at(now)).word, word, "I25");
    }
}

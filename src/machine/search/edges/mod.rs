//! Properties of every edge of the state graph: one input applied to one word.

pub(super) mod admission;
pub(super) mod operator;
pub(super) mod outcome;

use super::{
    super::{
        legal::is_legal,
        rules::Rules,
        step::{AdmitVerdict, Cause, Event, RawTransition, TimeSample, admit, admit::RejectReason},
        tick::{Deadline, SLACK_MS},
        word::{MAX_REOPENS, Phase, State, Word},
    },
    inputs::{DEADLINE_TICK, MS, WRAP, later},
};

/// One input applied to one word, and the resulting word.
#[derive(Clone, Copy, Debug)]
struct Edge<'a> {
    before: Word,
    after: Word,
    event: Event,
    /// Any moment, for a step that needs none.
    moment: TimeSample,
    rules: &'a Rules,
}

impl Edge<'_> {
    fn replaces_the_state(&self) -> bool {
        self.before.state() != self.after.state()
    }

    fn change(&self) -> RawTransition {
        let TimeSample { now, .. } = self.moment;
        RawTransition::between(self.before, self.after, self.event, now, None, self.rules)
    }
}

/// `transition`: whether this edge must begin a new period.
fn check(edge: &Edge<'_>, transition: bool) {
    i3_only_a_transition_raises_the_generation_and_by_one(edge, transition);
    if transition {
        i2_only_these_transitions(edge);
        i3_a_change_describes_the_words_on_both_sides(edge);
        reopens_grow_by_reopening_and_start_over(edge);
        a_closed_period_starts_empty(edge);
    } else {
        i12_time_and_outcomes_do_not_move_a_deadline(edge);
    }
    i17_the_word_is_legal(edge);
}

/// I3.
fn i3_only_a_transition_raises_the_generation_and_by_one(edge: &Edge<'_>, transition: bool) {
    let generation = edge.before.generation();
    let raised = generation.wrapping_add(u16::from(transition));
    assert_eq!(edge.after.generation(), raised, "I3: {edge:?}");
    assert!(transition || !edge.replaces_the_state(), "I3: {edge:?}");
}

/// I2.
fn i2_only_these_transitions(edge: &Edge<'_>) {
    use State::{Closed, Disabled, ForcedOpen, HalfOpen, Open};
    let allowed = matches!(
        (edge.event, edge.before.state(), edge.after.state()),
        (Event::Record, Closed, Open)
            | (Event::Admit, Open, HalfOpen)
            | (Event::Record, HalfOpen, Closed)
            | (Event::Record | Event::Admit, HalfOpen, Open)
            | (Event::Operate, _, Open | Closed | ForcedOpen | Disabled)
    );
    assert!(allowed, "I2: {edge:?}");
}

/// I3. The change that listeners are notified of matches the words before and after, and has the
/// right cause.
fn i3_a_change_describes_the_words_on_both_sides(edge: &Edge<'_>) {
    let change = edge.change();
    assert_eq!(change.from, edge.before.state(), "change: {edge:?}");
    assert_eq!(change.to, edge.after.state(), "change: {edge:?}");
    assert_eq!(change.generation, edge.after.generation(), "change");
    assert_eq!(change.reopens, reopens(edge.after), "change: {edge:?}");
    let cause = match (edge.event, change.from, change.to) {
        (Event::Operate, ..) => Cause::Operator,
        (Event::Admit, State::Open, _) => Cause::ProbeAdmitted,
        (Event::Admit, ..) => Cause::LeaseExpired,
        (Event::Record, State::Closed, _) => Cause::Tripped,
        (Event::Record, _, State::Closed) => Cause::Recovered,
        (Event::Record, ..) => Cause::ProbeFailed,
    };
    assert_eq!(change.cause, cause, "change: {edge:?}");
    assert_eq!(change.count.is_some(), cause == Cause::Tripped, "change");
    assert_eq!(change.open_ms.is_some(), change.to == State::Open, "change");
}

/// I12. An open word does not change until its period ends.
fn i12_time_and_outcomes_do_not_move_a_deadline(edge: &Edge<'_>) {
    if edge.before.state() == State::Open {
        assert_eq!(edge.after, edge.before, "I12: {edge:?}");
    }
}

/// I17.
fn i17_the_word_is_legal(edge: &Edge<'_>) {
    assert!(is_legal(edge.after, edge.rules), "I17: {edge:?}");
}

/// Reopens grow with each reopening, and start over with each new outage.
fn reopens_grow_by_reopening_and_start_over(edge: &Edge<'_>) {
    let then = reopens(edge.before);
    let expected = match (edge.event, edge.before.state()) {
        (Event::Admit, State::Open) => then,
        (Event::Admit | Event::Record, State::HalfOpen) if !edge.after.is_closed() => {
            (then + 1).min(MAX_REOPENS)
        }
        _ => 0,
    };
    assert_eq!(reopens(edge.after), expected, "reopens: {edge:?}");
}

fn reopens(word: Word) -> u8 {
    match word.phase() {
        Phase::Open(open) => open.reopens,
        Phase::HalfOpen(half_open) => half_open.reopens,
        Phase::Closed(_) | Phase::Held(_) => 0,
    }
}

/// A new closed period counts nothing from an earlier one.
fn a_closed_period_starts_empty(edge: &Edge<'_>) {
    if edge.after.is_closed() {
        let fresh = Phase::Closed(edge.rules.trip_rule.fresh(edge.moment.now));
        assert_eq!(edge.after.phase(), fresh, "fresh: {edge:?}");
    }
}

/// Length of an open period by the policy: the minimum, and the maximum with full jitter.
pub(super) fn policy_interval(rules: &Rules, reopens: u8) -> (u64, u64) {
    let cap = u64::from(rules.backoff.cap);
    let grow = |length: u64, _| (length * u64::from(rules.backoff.factor)).min(cap);
    let least = (0..reopens).fold(u64::from(rules.backoff.base), grow);
    (least, least + least * u64::from(rules.backoff.jitter) / 100)
}

/// I10, I16. An open period by the policy lasts for its interval, or for a longer hint, and no
/// longer.
fn i16_an_open_period_lasts_its_interval_or_hint(edge: &Edge<'_>, hint_ms: u64) {
    if let (true, Phase::Open(open)) = (edge.replaces_the_state(), edge.after.phase()) {
        let (least, most) = policy_interval(edge.rules, open.reopens);
        let millis = edge.change().open_ms.expect("an open period has a length");
        assert!(millis >= least.max(hint_ms), "I16: {millis} ms: {edge:?}");
        assert!(millis <= most.max(hint_ms), "I16: {millis} ms: {edge:?}");
        i10_an_open_period_rejects_for_its_length(edge, millis);
    }
}

/// I10. An open period rejects from its first moment to its last nanosecond, also on a clock that
/// lags by a second. At the first tick after its length it admits.
fn i10_an_open_period_rejects_for_its_length(edge: &Edge<'_>, millis: u64) {
    // A tick that has begun before the period does not count, unless the period has no length.
    let into_tick = edge.moment.now % DEADLINE_TICK;
    let begun = u64::from(into_tick > 0 && millis > 0);
    let rejected = |millis| {
        let remaining = Deadline::ticks(millis) + begun;
        AdmitVerdict::Rejected(RejectReason::Open { remaining })
    };
    let answer = |nanos| admit(edge.after, edge.rules, later(edge.moment.now, nanos)).verdict;
    let lagging = answer(WRAP - SLACK_MS * MS);
    assert_eq!(lagging, rejected(millis + SLACK_MS), "I10: {edge:?}");
    if millis > 0 {
        let last = AdmitVerdict::Rejected(RejectReason::Open { remaining: 1 });
        assert_eq!(answer(0), rejected(millis), "I10: {edge:?}");
        assert_eq!(answer(millis * MS - 1), last, "I10: {edge:?}");
    }
    let admitted = answer(millis * MS + begun * (DEADLINE_TICK - into_tick));
    let admitted = matches!(admitted, AdmitVerdict::Admitted(_));
    assert!(admitted, "I10: {edge:?} at its deadline");
}

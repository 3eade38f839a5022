//! Properties of every admission.

use super::{
    super::super::{
        rules::Rules,
        step::{
            AdmitVerdict, Event, Step, TimeSample, admit, admit::RejectReason, reject_fast,
            reject_reason,
        },
        tick::{LeaseEnd, SLACK_MS},
        word::{HalfOpen, Hold, Phase, Word},
    },
    super::inputs::{MS, WRAP, later},
    Edge, i16_an_open_period_lasts_its_interval_or_hint, policy_interval,
};

pub(in super::super) fn check(
    before: Word,
    rules: &Rules,
    moment: TimeSample,
    step: &Step<AdmitVerdict>,
) {
    let edge = Edge {
        before,
        after: step.word,
        event: Event::Admit,
        moment,
        rules,
    };
    super::check(&edge, edge.replaces_the_state());
    i16_an_open_period_lasts_its_interval_or_hint(&edge, 0);
    the_verdict_matches_the_new_word(step);
    a_rejection_repeats_at_the_same_moment(&edge, step);
    a_reason_agrees_with_admit_without_a_transition(&edge, step);
    i5_a_probe_takes_exactly_one_slot(&edge, step);
    if let (Some(probing), AdmitVerdict::Admitted(_)) = (half_open(edge.after), step.verdict) {
        i9_a_taken_slot_has_a_full_lease(&edge, probing);
        i9_taken_slots_are_busy(&edge, probing);
    }
}

/// A call is admitted into the period of the new word, and never into an open one.
fn the_verdict_matches_the_new_word(step: &Step<AdmitVerdict>) {
    use AdmitVerdict::{Admitted, Rejected};
    let fits = match (step.verdict, step.word.phase()) {
        (Admitted(permit), Phase::Closed(_) | Phase::HalfOpen(_) | Phase::Held(Hold::Disabled)) => {
            permit == step.word.period()
        }
        (Rejected(RejectReason::Open { .. }), Phase::Open(_))
        | (Rejected(RejectReason::Busy { .. }), Phase::HalfOpen(_))
        | (Rejected(RejectReason::Forced), Phase::Held(Hold::ForcedOpen)) => true,
        _ => false,
    };
    assert!(fits, "admission: {step:?}");
}

/// A rejection repeats with the same remaining time, including one that has just expired a lease.
fn a_rejection_repeats_at_the_same_moment(edge: &Edge<'_>, step: &Step<AdmitVerdict>) {
    if matches!(step.verdict, AdmitVerdict::Rejected(_)) {
        let again = admit(edge.after, edge.rules, edge.moment);
        assert_eq!(again.verdict, step.verdict, "admission: {edge:?}");
        assert_eq!(again.word, edge.after, "admission: {edge:?}");
    }
}

/// `reject_reason` and `reject_fast` agree with `admit` on rejections without a transition.
fn a_reason_agrees_with_admit_without_a_transition(edge: &Edge<'_>, step: &Step<AdmitVerdict>) {
    let reason = match step.verdict {
        AdmitVerdict::Rejected(reason) if edge.after == edge.before => Some(reason),
        _ => None,
    };
    let reported = reject_reason(edge.before, edge.rules, edge.moment.now);
    assert_eq!(reported, reason, "reject_reason: {edge:?}");
    let fast = reject_fast(edge.before, edge.rules, edge.moment.now);
    assert!(fast.is_none() || fast == reason, "reject_fast: {edge:?}");
}

/// I5. The step that admits a probe takes its slot, and no other field of the word changes.
fn i5_a_probe_takes_exactly_one_slot(edge: &Edge<'_>, step: &Step<AdmitVerdict>) {
    let Some(probing) = half_open(edge.after) else {
        return;
    };
    let (slots, successes) =
        half_open(edge.before).map_or((0, 0), |then| (then.in_flight, then.successes));
    let taken = u8::from(matches!(step.verdict, AdmitVerdict::Admitted(_)));
    assert_eq!(probing.in_flight, slots + taken, "I5: {edge:?}");
    assert_eq!(probing.successes, successes, "I5: {edge:?}");
    assert!(taken == 1 || edge.after == edge.before, "I5: {edge:?}");
}

/// I9. The lease covers all probes, including one to which a leading clock gave longer: a lease end
/// never moves back.
fn i9_a_taken_slot_has_a_full_lease(edge: &Edge<'_>, probing: HalfOpen) {
    let now = LeaseEnd::of(edge.moment.now);
    let longest = lease_ticks(edge.rules, probing.reopens) + SLACK_TICKS + 1;
    let left = half_open(edge.before)
        .and_then(|then| then.lease_end.ahead_of(now, longest))
        .unwrap_or(0);
    let remaining = probing.lease_end.since(now);
    let lease = full_lease(edge, probing);
    assert_eq!(remaining, lease.max(left), "I9: {edge:?}");
}

/// A whole lease from the edge's moment, in ticks: up to the first tick that begins no sooner.
fn full_lease(edge: &Edge<'_>, probing: HalfOpen) -> u64 {
    let into_tick = edge.moment.now % (4 * MS);
    let lease = lease_ms(edge.rules, probing.reopens) * MS;
    (into_tick + lease).div_ceil(4 * MS)
}

/// I9. Taken slots reject at once, also on a clock that lags by a second behind the one that set
/// the lease.
fn i9_taken_slots_are_busy(edge: &Edge<'_>, probing: HalfOpen) {
    let reason = |TimeSample { now, .. }| reject_reason(edge.after, edge.rules, now);
    let remaining = probing.lease_end.since(LeaseEnd::of(edge.moment.now));
    if probing.in_flight == edge.rules.probes {
        let busy = |moment| matches!(reason(moment), Some(RejectReason::Busy { .. }));
        assert!(busy(edge.moment), "I9: {edge:?}");
        if remaining == full_lease(edge, probing) {
            let lagging = later(edge.moment.now, WRAP - SLACK_MS * MS);
            assert!(busy(lagging), "I9: {edge:?}");
            let lease = lease_ms(edge.rules, probing.reopens) * MS;
            assert!(busy(later(edge.moment.now, lease - 1)), "I9: {edge:?}");
        }
    }
}

/// The second by which clocks may differ.
pub(in super::super) const SLACK_TICKS: u64 = 250;

/// The lease of `docs/design.md` §3.1, in milliseconds.
pub(in super::super) fn lease_ms(rules: &Rules, reopens: u8) -> u64 {
    let (interval, _) = policy_interval(rules, reopens);
    let default = (interval.max(30_000) << reopens.min(3)).min(86_400_000);
    rules.lease.map_or(default, |lease| lease.get().into())
}

/// The same lease in ticks, rounded up.
pub(in super::super) fn lease_ticks(rules: &Rules, reopens: u8) -> u64 {
    lease_ms(rules, reopens).div_ceil(4)
}

fn half_open(word: Word) -> Option<HalfOpen> {
    match word.phase() {
        Phase::HalfOpen(half_open) => Some(half_open),
        _ => None,
    }
}

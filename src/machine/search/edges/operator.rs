//! Properties of every operator action.

use super::{
    super::super::{
        rules::Rules,
        step::{Command, Event, Step, TimeSample},
        word::{State, Word},
    },
    Edge, i10_an_open_period_rejects_for_its_length,
};

pub(in super::super) fn check(
    before: Word,
    verb: Command,
    rules: &Rules,
    moment: TimeSample,
    step: &Step<State>,
) {
    let edge = Edge {
        before,
        after: step.word,
        event: Event::Operate,
        moment,
        rules,
    };
    super::check(&edge, acts(verb, before.state()));
    i25_a_verb_that_does_not_act_changes_no_bit(&edge, verb);
    i25_each_verb_does_what_it_says(&edge, verb, step.verdict);
    i25_a_verb_opens_for_its_length(&edge, verb);
}

/// I25.
fn i25_a_verb_that_does_not_act_changes_no_bit(edge: &Edge<'_>, verb: Command) {
    let acted = acts(verb, edge.before.state());
    assert!(
        acted || edge.after == edge.before,
        "I25: {verb:?}: {edge:?}"
    );
}

/// I25. Whether a verb is a transition. A transition raises the generation (I3), so that every
/// earlier permit is stale (I4).
fn acts(verb: Command, found: State) -> bool {
    match verb {
        Command::ForceOpen => found != State::ForcedOpen,
        Command::Disable => found != State::Disabled,
        Command::Resume => matches!(found, State::ForcedOpen | State::Disabled),
        Command::OpenFor(_) | Command::Reset => true,
    }
}

/// I25. Every verb replaces the current state, and returns the state that it found.
fn i25_each_verb_does_what_it_says(edge: &Edge<'_>, verb: Command, answer: State) {
    let found = edge.before.state();
    let expected = match (verb, found) {
        (Command::ForceOpen, _) => State::ForcedOpen,
        (Command::Disable, _) => State::Disabled,
        (Command::OpenFor(_), _) | (Command::Resume, State::ForcedOpen) => State::Open,
        (Command::Reset, _) | (Command::Resume, State::Disabled) => State::Closed,
        (Command::Resume, found) => found,
    };
    assert_eq!(edge.after.state(), expected, "I25: {verb:?}: {edge:?}");
    assert_eq!(answer, found, "I25: {verb:?}: {edge:?}");
}

/// I25.
fn i25_a_verb_opens_for_its_length(edge: &Edge<'_>, verb: Command) {
    if let Some(length) = length_ms(edge.before, verb) {
        let reported = edge.change().open_ms;
        assert_eq!(reported, Some(length), "I25: {verb:?}: {edge:?}");
        i10_an_open_period_rejects_for_its_length(edge, length);
    }
}

/// Length of the open period that a verb begins.
fn length_ms(before: Word, verb: Command) -> Option<u64> {
    match verb {
        Command::OpenFor(millis) => Some(millis),
        Command::Resume if before.state() == State::ForcedOpen => Some(0),
        _ => None,
    }
}

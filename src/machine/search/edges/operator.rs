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
    command: Command,
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
    super::check(&edge, acts(command, before.state()));
    i25_a_command_that_does_not_act_changes_no_bit(&edge, command);
    i25_each_command_does_what_it_says(&edge, command, step.verdict);
    i25_a_command_opens_for_its_length(&edge, command);
}

/// I25.
fn i25_a_command_that_does_not_act_changes_no_bit(edge: &Edge<'_>, command: Command) {
    let acted = acts(command, edge.before.state());
    assert!(
        acted || edge.after == edge.before,
        "I25: {command:?}: {edge:?}"
    );
}

/// I25. Whether a command is a transition. A transition raises the generation (I3), so that every
/// earlier permit is stale (I4).
fn acts(command: Command, found: State) -> bool {
    match command {
        Command::ForceOpen => found != State::ForcedOpen,
        Command::Disable => found != State::Disabled,
        Command::Resume => matches!(found, State::ForcedOpen | State::Disabled),
        Command::OpenFor(_) | Command::Reset => true,
    }
}

/// I25. Every command replaces the current state, and returns the state that it found.
fn i25_each_command_does_what_it_says(edge: &Edge<'_>, command: Command, verdict: State) {
    let found = edge.before.state();
    let expected = match (command, found) {
        (Command::ForceOpen, _) => State::ForcedOpen,
        (Command::Disable, _) => State::Disabled,
        (Command::OpenFor(_), _) | (Command::Resume, State::ForcedOpen) => State::Open,
        (Command::Reset, _) | (Command::Resume, State::Disabled) => State::Closed,
        (Command::Resume, found) => found,
    };
    assert_eq!(edge.after.state(), expected, "I25: {command:?}: {edge:?}");
    assert_eq!(verdict, found, "I25: {command:?}: {edge:?}");
}

/// I25.
fn i25_a_command_opens_for_its_length(edge: &Edge<'_>, command: Command) {
    if let Some(length) = length_ms(edge.before, command) {
        let reported = edge.change().open_ms;
        assert_eq!(reported, Some(length), "I25: {command:?}: {edge:?}");
        i10_an_open_period_rejects_for_its_length(edge, length);
    }
}

/// Length of the open period that a command begins.
fn length_ms(before: Word, command: Command) -> Option<u64> {
    match command {
        Command::OpenFor(millis) => Some(millis),
        Command::Resume if before.state() == State::ForcedOpen => Some(0),
        _ => None,
    }
}

//! Diagnostics of when a period began: those of the last transition remain, however slow a thread
//! is.

use crate::{
    harness::{Model, Scenario},
    machine::step::{Command, Event, RawTransition},
    scene::{NOW, SECOND, closed, rules},
    subject::{Subject, Teller},
};

/// Two operators act, each at its own time, and record it. A reader of another period finds no
/// record.
pub(crate) fn the_last_transition_is_the_one_that_is_noted<S: Subject>() -> Model {
    let begin = || (S::at(closed(&rules()), rules()), S::Teller::beginning_at(1));
    let act = |(subject, teller): &(S, S::Teller), now: u64| {
        let did = subject.operate(Command::Reset, now);
        let change =
            RawTransition::between(did.before, did.after, Event::Operate, now, None, &rules());
        teller.note(change, now, &|| subject.word().generation());
        change.generation
    };
    Scenario::new(begin)
        .actor(move |scene| act(scene, NOW))
        .actor(move |scene| act(scene, NOW + SECOND))
        .end(|(_, teller), generations| {
            let second = generations.iter().position(|generation| *generation == 2);
            let second = second.expect("one of them was the second");
            let expected = [NOW, NOW + SECOND][second];
            assert_eq!(teller.since(2), Some(expected), "the last is noted");
            format!("{second} was the last")
        })
        .reaches(&["0 was the last", "1 was the last"])
        .takes(20, 20)
}

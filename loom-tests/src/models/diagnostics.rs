//! Diagnostics of when a period began: those of the last transition remain, however slow a thread
//! is.

use crate::{
    harness::{Model, Scenario},
    machine::step::Command,
    scene::{NOW, SECOND, closed, rules},
    subject::{Dispatcher, Subject},
};

/// Two operators act, each at its own time, and record it. A reader of another period finds no
/// record.
pub(crate) fn the_last_transition_is_the_one_that_is_recorded<S: Subject>() -> Model {
    let begin = || {
        (
            S::at(closed(&rules()), rules()),
            S::Dispatcher::beginning_at(1),
        )
    };
    let act = |(subject, dispatcher): &(S, S::Dispatcher), now: u64| {
        let result = subject.operate(Command::Reset, now);
        let generation = result.after.generation();
        dispatcher.write_diagnostics(generation, now, &|| subject.word().generation());
        generation
    };
    Scenario::new(begin)
        .actor(move |scene| act(scene, NOW))
        .actor(move |scene| act(scene, NOW + SECOND))
        .end(|(_, dispatcher), generations| {
            let second = generations.iter().position(|generation| *generation == 2);
            let second = second.expect("one of them was the second");
            let expected = [NOW, NOW + SECOND][second];
            assert_eq!(
                dispatcher.period_start(2),
                Some(expected),
                "the last is recorded"
            );
            format!("{second} was the last")
        })
        .reaches(&["0 was the last", "1 was the last"])
        .takes(20, 20)
}

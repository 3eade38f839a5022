//! Operator commands. Each replaces the current state.
//!
//! | command | next word | no transition when |
//! |---|---|---|
//! | force open | forced open | forced open already |
//! | disable | disabled | disabled already |
//! | open for | open, by an operator, reopens 0 | never |
//! | resume | forced → open with its deadline now; disabled → closed, fresh | not held |
//! | reset | closed, fresh | never |

use super::{
    super::{
        rules::Rules,
        tick::Deadline,
        word::{Hold, Open, Origin, Phase, State, Word},
    },
    Step, TimeSample,
};

/// A command of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    ForceOpen,
    Disable,
    /// Milliseconds, within the bounds of an operator's period.
    OpenFor(u64),
    Resume,
    Reset,
}

/// Executes a command; the verdict is the state that it replaces.
pub(crate) const fn operate(
    word: Word,
    command: Command,
    rules: &Rules,
    moment: TimeSample,
) -> Step<State> {
    let next = match (command, word.phase()) {
        (Command::ForceOpen, Phase::Held(Hold::ForcedOpen))
        | (Command::Disable, Phase::Held(Hold::Disabled))
        | (Command::Resume, Phase::Closed(_) | Phase::Open(_) | Phase::HalfOpen(_)) => word,
        (Command::ForceOpen, _) => word.begin_held(Hold::ForcedOpen),
        (Command::Disable, _) => word.begin_held(Hold::Disabled),
        (Command::Resume, Phase::Held(Hold::ForcedOpen)) => {
            // Not `after`: the next call is the probe, even within this tick.
            open(word, Origin::Policy, Deadline::of(moment.now))
        }
        (Command::Resume, Phase::Held(Hold::Disabled)) | (Command::Reset, _) => {
            word.begin_closed(rules.trip_rule.fresh(moment.now))
        }
        (Command::OpenFor(millis), _) => {
            let deadline = Deadline::after(moment.now, millis);
            open(word, Origin::Operator, deadline)
        }
    };
    Step {
        word: next,
        verdict: word.state(),
    }
}

const fn open(word: Word, origin: Origin, deadline: Deadline) -> Word {
    word.begin_open(Open {
        reopens: 0,
        origin,
        deadline,
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{rules::tests::rules, tick::LeaseEnd, word::Word},
        *,
    };
    use crate::Policy;

    const NOW: TimeSample = TimeSample {
        now: 7_000_000_000,
        salt: 0,
    };

    fn all() -> [Word; 5] {
        let word = Word::new(1);
        [
            word,
            operated(word, Command::OpenFor(10)),
            word.begin_half_open(0, LeaseEnd::new(1)),
            word.begin_held(Hold::ForcedOpen),
            word.begin_held(Hold::Disabled),
        ]
    }

    fn operated(word: Word, command: Command) -> Word {
        let step = operate(word, command, &rules(&Policy::new()), NOW);
        assert_eq!(step.verdict, word.state(), "the state that it found");
        step.word
    }

    #[test]
    fn every_command_leads_where_the_table_says() {
        use State::{Closed, Disabled, ForcedOpen, Open};
        for word in all() {
            assert_eq!(operated(word, Command::ForceOpen).state(), ForcedOpen);
            assert_eq!(operated(word, Command::Disable).state(), Disabled);
            assert_eq!(operated(word, Command::OpenFor(10)).state(), Open);
            assert_eq!(operated(word, Command::Reset).state(), Closed);
            let resumed = match word.state() {
                ForcedOpen => Open,
                Disabled => Closed,
                state => state,
            };
            assert_eq!(operated(word, Command::Resume).state(), resumed);
        }
    }

    #[test]
    fn a_command_that_finds_its_work_done_is_no_transition() {
        let [closed, open, half_open, forced, disabled] = all();
        for (word, command) in [
            (closed, Command::Resume),
            (open, Command::Resume),
            (half_open, Command::Resume),
            (forced, Command::ForceOpen),
            (disabled, Command::Disable),
        ] {
            assert_eq!(operated(word, command), word);
        }
        for word in all() {
            for command in [Command::Reset, Command::OpenFor(10)] {
                assert_ne!(operated(word, command).generation(), word.generation());
            }
        }
    }

    #[test]
    fn resumed_from_forced_open_the_next_call_is_the_probe() {
        let word = operated(all()[3], Command::Resume);
        let step = super::super::admit(word, &rules(&Policy::new()), NOW);
        assert_eq!(step.word.state(), State::HalfOpen);
    }
}

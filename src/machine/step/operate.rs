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
    Moment, Step,
};

/// A command of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    ForceOpen,
    Disable,
    /// Milliseconds, within the bounds of an operator's period.
    OpenFor(u64),
    Resume,
    Reset,
}

/// Executes a command; the verdict is the state that it replaces.
pub(crate) const fn operate(word: Word, verb: Verb, rules: &Rules, moment: Moment) -> Step<State> {
    let next = match (verb, word.phase()) {
        (Verb::ForceOpen, Phase::Held(Hold::ForcedOpen))
        | (Verb::Disable, Phase::Held(Hold::Disabled))
        | (Verb::Resume, Phase::Closed(_) | Phase::Open(_) | Phase::HalfOpen(_)) => word,
        (Verb::ForceOpen, _) => word.begin_held(Hold::ForcedOpen),
        (Verb::Disable, _) => word.begin_held(Hold::Disabled),
        (Verb::Resume, Phase::Held(Hold::ForcedOpen)) => {
            // Not `after`: the next call is the probe, even within this tick.
            open(word, Origin::Policy, Deadline::of(moment.now))
        }
        (Verb::Resume, Phase::Held(Hold::Disabled)) | (Verb::Reset, _) => {
            word.begin_closed(rules.tally.fresh(moment.now))
        }
        (Verb::OpenFor(millis), _) => {
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
    use super::{super::super::rules::tests::rules, *};
    use crate::{
        Policy,
        machine::{tick::LeaseEnd, word::Word},
    };

    const NOW: Moment = Moment {
        now: 7_000_000_000,
        salt: 0,
    };

    fn all() -> [Word; 5] {
        let word = Word::new(1);
        [
            word,
            operated(word, Verb::OpenFor(10)),
            word.begin_half_open(0, LeaseEnd::new(1)),
            word.begin_held(Hold::ForcedOpen),
            word.begin_held(Hold::Disabled),
        ]
    }

    fn operated(word: Word, verb: Verb) -> Word {
        let step = operate(word, verb, &rules(&Policy::new()), NOW);
        assert_eq!(step.verdict, word.state(), "the state that it found");
        step.word
    }

    #[test]
    fn every_verb_leads_where_the_table_says() {
        use State::{Closed, Disabled, ForcedOpen, Open};
        for word in all() {
            assert_eq!(operated(word, Verb::ForceOpen).state(), ForcedOpen);
            assert_eq!(operated(word, Verb::Disable).state(), Disabled);
            assert_eq!(operated(word, Verb::OpenFor(10)).state(), Open);
            assert_eq!(operated(word, Verb::Reset).state(), Closed);
            let resumed = match word.state() {
                ForcedOpen => Open,
                Disabled => Closed,
                state => state,
            };
            assert_eq!(operated(word, Verb::Resume).state(), resumed);
        }
    }

    #[test]
    fn a_verb_that_finds_its_work_done_is_no_transition() {
        let [closed, open, half_open, forced, disabled] = all();
        for (word, verb) in [
            (closed, Verb::Resume),
            (open, Verb::Resume),
            (half_open, Verb::Resume),
            (forced, Verb::ForceOpen),
            (disabled, Verb::Disable),
        ] {
            assert_eq!(operated(word, verb), word);
        }
        for word in all() {
            for verb in [Verb::Reset, Verb::OpenFor(10)] {
                assert_ne!(operated(word, verb).generation(), word.generation());
            }
        }
    }

    #[test]
    fn resumed_from_forced_open_the_next_call_is_the_probe() {
        let word = operated(all()[3], Verb::Resume);
        let step = super::super::admit(word, &rules(&Policy::new()), NOW);
        assert_eq!(step.word.state(), State::HalfOpen);
    }
}

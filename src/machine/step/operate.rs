//! An operator acts. Every verb replaces what stands.
//!
//! | verb | next word | no transition when |
//! |---|---|---|
//! | force open | forced open | forced open already |
//! | disable | disabled | disabled already |
//! | open for | open, `given`, reopens 0 | never |
//! | resume | forced → open with its deadline now; disabled → closed, fresh | not held |
//! | reset | closed, fresh | never |

use super::{
    super::{
        rules::Rules,
        word::{Hold, Phase, State, Word},
    },
    Cause, Change, Moment, Step, open_for,
};

/// What an operator can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    ForceOpen,
    Disable,
    /// Milliseconds, within the bounds of a given period.
    OpenFor(u64),
    Resume,
    Reset,
}

/// Carries a verb out; the verdict is the state that it found.
pub(crate) const fn operate(word: Word, verb: Verb, rules: &Rules, moment: Moment) -> Step<State> {
    let next = match (verb, word.phase()) {
        (Verb::ForceOpen, Phase::Held(Hold::ForcedOpen))
        | (Verb::Disable, Phase::Held(Hold::Disabled))
        | (Verb::Resume, Phase::Closed(_) | Phase::Open(_) | Phase::HalfOpen(_)) => word,
        (Verb::ForceOpen, _) => word.begin_held(Hold::ForcedOpen),
        (Verb::Disable, _) => word.begin_held(Hold::Disabled),
        (Verb::Resume, Phase::Held(Hold::ForcedOpen)) => return opened(word, false, 0, moment),
        (Verb::Resume, Phase::Held(Hold::Disabled)) | (Verb::Reset, _) => {
            word.begin_closed(rules.tally.fresh())
        }
        (Verb::OpenFor(millis), _) => return opened(word, true, millis, moment),
    };
    Step {
        word: next,
        verdict: word.state(),
        change: if next.bits() == word.bits() {
            None
        } else {
            Some(Change::between(word, next, Cause::Operator))
        },
    }
}

const fn opened(word: Word, given: bool, millis: u64, moment: Moment) -> Step<State> {
    let (next, change) = open_for(word, Cause::Operator, 0, given, millis, moment);
    Step {
        word: next,
        verdict: word.state(),
        change: Some(change),
    }
}

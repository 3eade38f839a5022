//! Legal words: asserted by the exhaustive search for every word that it reaches (I17).

use super::{
    rules::Rules,
    word::{Hold, Phase, Word},
};

/// Whether a history of a breaker with these rules can lead to this word.
pub(crate) fn is_legal(word: Word, rules: &Rules) -> bool {
    let rebuilt = match word.phase() {
        Phase::Closed(payload) => return rules.trip_rule.is_legal(payload),
        Phase::Open(open) => previous(word).begin_open(open),
        Phase::HalfOpen(half_open) => {
            let slots = half_open.in_flight <= rules.probes;
            let successes = half_open.successes < rules.probe_successes;
            if !(slots && successes) {
                return false;
            }
            previous(word)
                .begin_half_open(half_open.reopens, half_open.lease_end)
                .with_in_flight(half_open.in_flight)
                .with_successes(half_open.successes)
        }
        Phase::Held(Hold::ForcedOpen) => previous(word).begin_held(Hold::ForcedOpen),
        Phase::Held(Hold::Disabled) => previous(word).begin_held(Hold::Disabled),
    };
    // Bits that belong to no field must be 0: the word equals its repacked parts.
    rebuilt == word
}

/// A word of the previous generation.
fn previous(word: Word) -> Word {
    let generation = u64::from(word.generation().wrapping_sub(1));
    Word::from_bits(generation << super::word::PAYLOAD_BITS)
}

//! I17 at the extremes of each field: packed fields unpack unchanged, and no field affects another.

use super::{
    super::{
        fast_path::FastPath,
        tick::{Deadline, LeaseEnd},
        trip::bits::Bits,
        word::{HalfOpen, Hold, MAX_PROBES, MAX_REOPENS, Open, Origin, PAYLOAD_BITS, Phase, Word},
    },
    canonical::{begin, pack, with_generation},
    cases::of_last,
};

const GENERATIONS: [u16; 6] = [0, 1, 0x5555, 0x8000, u16::MAX - 1, u16::MAX];
const REOPENS: [u8; 5] = [0, 1, 0b10101, MAX_REOPENS - 1, MAX_REOPENS];
const PROBES: [u8; 5] = [0, 1, 0b10_1010, MAX_PROBES - 1, MAX_PROBES];

/// The extremes of a field of `bits` bits, and a pattern that reveals misplaced bits.
const fn extremes(bits: u32) -> [u64; 6] {
    let max = (1 << bits) - 1;
    [0, 1, max / 3, 1 << (bits - 1), max - 1, max]
}

/// I17.
#[test]
fn i17_packed_fields_unpack_unchanged() {
    let mut words = 0;
    for phase in phases() {
        for generation in GENERATIONS {
            let word = pack(generation, phase);
            assert_eq!(word.phase(), phase, "I17");
            assert_eq!(word.generation(), generation, "I17");
            assert_eq!(word.period().generation(), generation, "I17");
            assert_eq!(pack(word.generation(), word.phase()), word, "I17");
            words += 1;
        }
    }
    assert!(words > 4_000, "I17: only {words} words");
}

/// I17. A new period keeps only the generation of the word before it.
#[test]
fn i17_a_new_period_keeps_nothing_of_the_old_one() {
    for phase in phases() {
        for state in 0..4_u64 {
            for payload in [0, (1 << PAYLOAD_BITS) - 1] {
                let old = Word::from_bits(state << 62 | payload);
                for generation in GENERATIONS {
                    let old = with_generation(old, generation);
                    let new = begin(old, phase);
                    assert_eq!(new, pack(generation.wrapping_add(1), phase), "I17: {old:?}");
                }
            }
        }
    }
}

/// I17. Editing one field of a half-open word leaves every other bit unchanged.
#[test]
fn i17_an_edit_touches_its_field_alone() {
    for before in half_opens() {
        let word = pack(u16::MAX, Phase::HalfOpen(before));
        for in_flight in PROBES {
            let after = HalfOpen {
                in_flight,
                ..before
            };
            assert_eq!(
                word.with_in_flight(in_flight).phase(),
                Phase::HalfOpen(after)
            );
            assert_eq!(word.with_in_flight(in_flight).generation(), u16::MAX);
        }
        for successes in PROBES {
            let after = HalfOpen {
                successes,
                ..before
            };
            assert_eq!(
                word.with_successes(successes).phase(),
                Phase::HalfOpen(after)
            );
        }
        for lease_end in extremes(LeaseEnd::BITS).map(LeaseEnd::new) {
            let after = HalfOpen {
                lease_end,
                ..before
            };
            assert_eq!(
                word.with_lease_end(lease_end).phase(),
                Phase::HalfOpen(after)
            );
        }
    }
}

/// I17. Only one pattern of the state bits reads as closed, and zeroed memory does not have it.
#[test]
fn i17_only_closed_words_read_as_closed() {
    for phase in phases() {
        for generation in GENERATIONS {
            let closed = matches!(phase, Phase::Closed(_));
            assert_eq!(
                pack(generation, phase).is_closed(),
                closed,
                "I17: {phase:?}"
            );
        }
    }
    assert_eq!(Word::from_bits(0).phase(), Phase::Held(Hold::ForcedOpen));
}

/// Rule 4 of the word: one comparison recognises a success that changes nothing. No other word that
/// can have permits looks like a healthy closed one, for any window.
#[test]
fn the_fast_path_matches_only_healthy_closed_words() {
    let probing = half_opens().filter(|half_open| half_open.in_flight > 0);
    let disabled = Phase::Held(Hold::Disabled);
    let phases = probing.map(Phase::HalfOpen).chain([disabled]);
    for word in phases.map(|phase| pack(0, phase)) {
        for fast_path in shortcuts() {
            assert!(!fast_path.changes_nothing(word, word.period()), "{word:?}");
        }
    }
}

/// The fast path of every window that fits the word, and of none.
fn shortcuts() -> impl Iterator<Item = FastPath> {
    (0..=Bits::MOST_CALLS).map(|span| FastPath::new(&of_last(span)))
}

fn phases() -> impl Iterator<Item = Phase> {
    let closed = extremes(PAYLOAD_BITS).into_iter().map(Phase::Closed);
    let held = [Hold::ForcedOpen, Hold::Disabled].map(Phase::Held);
    closed
        .chain(opens().map(Phase::Open))
        .chain(half_opens().map(Phase::HalfOpen))
        .chain(held)
}

fn opens() -> impl Iterator<Item = Open> {
    let deadlines = extremes(Deadline::BITS).map(Deadline::new);
    deadlines.into_iter().flat_map(|deadline| {
        REOPENS.into_iter().flat_map(move |reopens| {
            let by_operator = (reopens == 0).then_some(Origin::Operator);
            let origins = [Origin::Policy, Origin::Hint]
                .into_iter()
                .chain(by_operator);
            origins.map(move |origin| Open {
                reopens,
                origin,
                deadline,
            })
        })
    })
}

fn half_opens() -> impl Iterator<Item = HalfOpen> {
    let lease_ends = extremes(LeaseEnd::BITS).map(LeaseEnd::new);
    let probes = || PROBES.into_iter().flat_map(|a| PROBES.map(|b| (a, b)));
    lease_ends.into_iter().flat_map(move |lease_end| {
        REOPENS.into_iter().flat_map(move |reopens| {
            probes().map(move |(successes, in_flight)| HalfOpen {
                reopens,
                successes,
                in_flight,
                lease_end,
            })
        })
    })
}

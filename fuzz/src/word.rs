//! Packing and unpacking of the word (I17), compared with an independent implementation of its
//! layout: the diagram of `docs/design.md` §2, as plain shifts.
//!
//! An input is the fields of `WordInput` in order, little-endian. Missing bytes are 0.

mod packed;

use arbitrary::{Arbitrary, Unstructured};

use crate::Reached;
use packed::{
    tick::{Deadline, LeaseEnd},
    word::{HalfOpen, Hold, Open, Origin, Phase, State, Word},
};

/// A test case.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct WordInput {
    /// Any word, reachable or not.
    word: u64,
    /// The first of the values to pack into a word.
    payload: u64,
    deadline: u64,
    lease_end: u64,
    reopens: u8,
    successes: u8,
    in_flight: u8,
    given: bool,
}

impl WordInput {
    fn read(bytes: &[u8]) -> Self {
        Self::arbitrary(&mut Unstructured::new(bytes)).expect("what is missing reads as 0")
    }
}

/// A field of a word: its shift and its width in bits.
#[derive(Clone, Copy)]
struct Bits(u32, u32);

const STATE: Bits = Bits(62, 2);
const GENERATION: Bits = Bits(46, 16);
const PAYLOAD: Bits = Bits(0, 46);
/// Open.
const REOPENS: Bits = Bits(41, 5);
const GIVEN: Bits = Bits(40, 1);
const DEADLINE: Bits = Bits(0, 40);
/// Half-open.
const LONE: Bits = Bits(45, 1);
const REOPENS_OF_PROBES: Bits = Bits(40, 5);
const SUCCESSES: Bits = Bits(34, 6);
const IN_FLIGHT: Bits = Bits(28, 6);
const LEASE_END: Bits = Bits(0, 28);

impl Bits {
    const fn max(self) -> u64 {
        (1 << self.1) - 1
    }

    const fn of(self, word: u64) -> u64 {
        word >> self.0 & self.max()
    }

    /// Returns `value`, truncated to the field's width and shifted into the field.
    const fn with(self, value: u64) -> u64 {
        (value & self.max()) << self.0
    }

    const fn put(self, word: u64, value: u64) -> u64 {
        word & !(self.max() << self.0) | self.with(value)
    }

    fn byte(self, word: u64) -> u8 {
        u8::try_from(self.of(word)).expect("a narrow field")
    }
}

/// Unpacks a word and packs one.
///
/// # Panics
///
/// Panics if a value does not survive, or if another bit changes.
#[must_use = "it says what the input is worth"]
pub fn play(bytes: &[u8]) -> Reached {
    let input = WordInput::read(bytes);
    let mut reached = Reached::new();
    reached.insert(unpack(input.word));
    edit(&input);
    pack(&input);
    reached
}

/// Describes an input.
#[must_use]
pub fn describe(bytes: &[u8]) -> String {
    let input = WordInput::read(bytes);
    format!("{input:#x?}\n{:?}", Word::from_bits(input.word))
}

/// Asserts that any word is read by its layout, and that only bits without a field are lost.
/// Returns a description of the word.
fn unpack(bits: u64) -> String {
    let word = Word::from_bits(bits);
    assert_eq!(word.bits(), bits);
    assert_eq!(u64::from(word.generation()), GENERATION.of(bits));
    assert_eq!(word.payload(), PAYLOAD.of(bits));
    assert_eq!(word.period().generation(), word.generation());
    assert!(word.is_of(word.period()));

    // A word of the previous generation: rebuild the word from it and the unpacked parts.
    let before = Word::from_bits(GENERATION.with(GENERATION.of(bits).wrapping_sub(1)));
    let (state, phase, rebuilt, owned) = match STATE.of(bits) {
        0b01 => {
            let payload = PAYLOAD.of(bits);
            let rebuilt = before.begin_closed(payload);
            (State::Closed, Phase::Closed(payload), rebuilt, true)
        }
        0b10 => {
            let (reopens, origin) = match (GIVEN.of(bits), REOPENS.byte(bits)) {
                (0, reopens) => (reopens, Origin::Policy),
                (_, 31) => (0, Origin::Operator),
                (_, reopens) => (reopens, Origin::Hint),
            };
            let open = Open {
                reopens,
                origin,
                deadline: Deadline::new(DEADLINE.of(bits)),
            };
            let rebuilt = before.begin_open(open);
            (State::Open, Phase::Open(open), rebuilt, true)
        }
        0b11 => {
            let half_open = HalfOpen {
                reopens: REOPENS_OF_PROBES.byte(bits),
                successes: SUCCESSES.byte(bits),
                in_flight: IN_FLIGHT.byte(bits),
                lease_end: LeaseEnd::new(LEASE_END.of(bits)),
            };
            let rebuilt = before
                .begin_half_open(half_open.reopens, half_open.lease_end)
                .with_successes(half_open.successes)
                .with_in_flight(half_open.in_flight);
            let owned = LONE.of(bits) == 1;
            (State::HalfOpen, Phase::HalfOpen(half_open), rebuilt, owned)
        }
        _ => {
            let payload = PAYLOAD.of(bits);
            // Disabled requires both of the highest bits; all other payloads reject.
            let (state, hold, legal) = if payload >> 44 == 0b11 {
                (State::Disabled, Hold::Disabled, 0b11 << 44)
            } else {
                (State::ForcedOpen, Hold::ForcedOpen, 0)
            };
            let rebuilt = before.begin_held(hold);
            (state, Phase::Held(hold), rebuilt, payload == legal)
        }
    };
    assert_eq!(word.state(), state);
    assert_eq!(word.phase(), phase);
    assert_eq!(word.is_closed(), state == State::Closed);
    assert_eq!(word.period().is_closed(), state == State::Closed);
    assert_eq!(word.period().is_half_open(), state == State::HalfOpen);
    assert_eq!(
        rebuilt == word,
        owned,
        "a word is what its parts make, iff it has no bit beside them: {word:?}"
    );
    let legal = if owned { "" } else { ", can't arise" };
    format!("{state}{legal}")
}

/// Asserts that an edit changes the bits of its field and no others, in any word.
fn edit(input: &WordInput) {
    let bits = input.word;
    let word = Word::from_bits(bits);
    let check = |edited: Word, field: Bits, value: u64| {
        assert_eq!(edited.bits(), field.put(bits, value), "{value:#x}");
    };
    check(
        word.with_payload(PAYLOAD.of(input.payload)),
        PAYLOAD,
        input.payload,
    );
    let successes = input.successes % 64;
    check(word.with_successes(successes), SUCCESSES, successes.into());
    let in_flight = input.in_flight % 64;
    check(word.with_in_flight(in_flight), IN_FLIGHT, in_flight.into());
    check(
        word.with_lease_end(LeaseEnd::new(input.lease_end)),
        LEASE_END,
        input.lease_end,
    );
}

/// Asserts that a new period has the next generation and the given parts, from any previous word.
fn pack(input: &WordInput) {
    let word = Word::from_bits(input.word);
    let generation = GENERATION.with(GENERATION.of(input.word) + 1);
    let check = |begun: Word, state: u64, payload: u64, phase: Phase| {
        assert_eq!(begun.bits(), STATE.with(state) | generation | payload);
        assert_eq!(begun.phase(), phase);
        assert!(!word.is_of(begun.period()) && !begun.is_of(word.period()));
    };

    let payload = PAYLOAD.of(input.payload);
    check(
        word.begin_closed(payload),
        0b01,
        payload,
        Phase::Closed(payload),
    );

    let reopens = input.reopens % 31;
    let (origin, packed) = match (input.given, input.reopens / 31 % 2) {
        (false, _) => (Origin::Policy, reopens),
        (true, 0) => (Origin::Hint, reopens),
        (true, _) => (Origin::Operator, 31),
    };
    let open = Open {
        reopens: if packed == 31 { 0 } else { reopens },
        origin,
        deadline: Deadline::new(input.deadline),
    };
    let payload = REOPENS.with(packed.into())
        | GIVEN.with(input.given.into())
        | DEADLINE.with(input.deadline);
    check(word.begin_open(open), 0b10, payload, Phase::Open(open));

    let lease_end = LeaseEnd::new(input.lease_end);
    let half_open = HalfOpen {
        reopens,
        successes: 0,
        in_flight: 1,
        lease_end,
    };
    let payload = LONE.with(1)
        | REOPENS_OF_PROBES.with(reopens.into())
        | IN_FLIGHT.with(1)
        | LEASE_END.with(input.lease_end);
    let begun = word.begin_half_open(reopens, lease_end);
    check(begun, 0b11, payload, Phase::HalfOpen(half_open));

    let forced = word.begin_held(Hold::ForcedOpen);
    check(forced, 0b00, 0, Phase::Held(Hold::ForcedOpen));
    let disabled = word.begin_held(Hold::Disabled);
    check(disabled, 0b00, 0b11 << 44, Phase::Held(Hold::Disabled));
}

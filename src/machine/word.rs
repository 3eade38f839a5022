//! The word: everything of a breaker that must change together, in 64 bits.
//!
//! ```text
//!  63 62 61          46 45                                               0
//! +-----+--------------+-------------------------------------------------+
//! |state|  generation  |                     payload                     |
//! +-----+--------------+-------------------------------------------------+
//! 01 closed     the counts of the trip: `trip` reads and writes them
//! 10 open       reopens 5 | explicit 1 | deadline 40 (ticks of 250 µs)   explicit, 31: an operator's
//! 11 half-open  1 | reopens 5 | successes 6 | in flight 6 | lease end 28 (ticks of 4 ms)
//! 00 held       11 disabled, 00 forced open | 0
//! ```
//!
//! | state | bits | a call is | left on |
//! |---|---|---|---|
//! | closed | `01` | admitted | the failure that trips; a command |
//! | open | `10` | rejected until the deadline | the first call at or after the deadline; a command |
//! | half-open | `11` | admitted while a slot is free | the last success needed; a failure; a call that finds the lease over; a command |
//! | held, forced open | `00`, payload 0 | rejected | a command |
//! | held, disabled | `00`, two ones above | admitted, not recorded | a command |
//!
//! Rules:
//!
//! 1. `begin` makes every new period and raises the generation by one. Nothing else changes the
//!    generation.
//! 2. Within a period, `with_x` edits a word and keeps all other bits.
//! 3. A word of zeros is forced open: zeroed memory rejects, and never reads as closed.
//! 4. A half-open payload with a probe in flight has its highest bit and another bit set. So has a
//!    disabled payload. A healthy closed payload is 0, has a single 1, or (with an external
//!    window) begins with a 0. So one comparison in `fast_path.rs` suffices. (By I5 the word to
//!    which a probe reports has that probe in flight.)
//! 5. A field never receives a value that it can't hold: callers saturate, `Field::set` asserts it.

#![expect(
    clippy::cast_possible_truncation,
    reason = "a field is masked to its bits, and `try_from` is not const"
)]

use core::fmt;

use super::tick::{Deadline, LeaseEnd};

/// The position of a value in a word. Each field begins where the one before it ends.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    shift: u32,
    bits: u32,
}

impl Field {
    pub(crate) const fn first(bits: u32) -> Self {
        Self { shift: 0, bits }
    }

    pub(crate) const fn then(self, bits: u32) -> Self {
        Self {
            shift: self.end(),
            bits,
        }
    }

    pub(crate) const fn end(self) -> u32 {
        self.shift + self.bits
    }

    pub(crate) const fn max(self) -> u64 {
        (1 << self.bits) - 1
    }

    pub(crate) const fn get(self, word: u64) -> u64 {
        (word >> self.shift) & self.max()
    }

    /// The bits of a value in a word of zeros.
    pub(crate) const fn bits_of(self, value: u64) -> u64 {
        debug_assert!(value <= self.max(), "a value must fit its field");
        value << self.shift
    }

    pub(crate) const fn set(self, word: u64, value: u64) -> u64 {
        debug_assert!(value <= self.max(), "a value must fit its field");
        (word & !(self.max() << self.shift)) | ((value & self.max()) << self.shift)
    }
}

const PAYLOAD: Field = Field::first(46);
const GENERATION: Field = PAYLOAD.then(16);
const STATE: Field = GENERATION.then(2);

const DEADLINE: Field = Field::first(Deadline::BITS);
const EXPLICIT: Field = DEADLINE.then(1);
const OPEN_REOPENS: Field = EXPLICIT.then(5);

const LEASE_END: Field = Field::first(LeaseEnd::BITS);
const IN_FLIGHT: Field = LEASE_END.then(6);
const SUCCESSES: Field = IN_FLIGHT.then(6);
const HALF_OPEN_REOPENS: Field = SUCCESSES.then(5);
const SENTINEL: Field = HALF_OPEN_REOPENS.then(1);

const HOLD: Field = Field {
    shift: PAYLOAD.bits - 2,
    bits: 2,
};

const _: () = {
    assert!(STATE.end() == u64::BITS);
    assert!(OPEN_REOPENS.end() == PAYLOAD.bits);
    assert!(SENTINEL.end() == PAYLOAD.bits);
    assert!(HOLD.end() == PAYLOAD.bits);
};

/// The bits of [`STATE`].
const HELD: u64 = 0b00;
pub(super) const CLOSED: u64 = 0b01;
const OPEN: u64 = 0b10;
const HALF_OPEN: u64 = 0b11;

/// The bits of [`HOLD`] that let calls through.
const DISABLED: u64 = 0b11;

/// State and generation.
pub(crate) const HEADER: u64 = !PAYLOAD.max();
/// The number of bits that [`super::trip`] has for its counts.
pub(crate) const PAYLOAD_BITS: u32 = PAYLOAD.bits;
/// The reopen count at which the count saturates.
pub(crate) const MAX_REOPENS: u8 = OPEN_REOPENS.max() as u8 - 1;
/// The stored reopens of an open period whose length an operator gave. Such a period has none.
const BY_OPERATOR: u64 = OPEN_REOPENS.max();
/// The maximum of probes in flight, and of the successes that recover.
pub(crate) const MAX_PROBES: u8 = IN_FLIGHT.max() as u8;

/// The state of a breaker, which decides about its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Calls are admitted and their outcomes are counted.
    Closed,
    /// Calls are rejected until the deadline.
    Open,
    /// A few calls, the probes, are admitted to find out whether the dependency has recovered.
    HalfOpen,
    /// An operator holds the breaker open: every call is rejected.
    ForcedOpen,
    /// An operator disabled the breaker: every call is admitted and nothing is recorded.
    Disabled,
}

impl State {
    /// The name in kebab-case: `closed`, `open`, `half-open`, `forced-open` or `disabled`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::ForcedOpen => "forced-open",
            Self::Disabled => "disabled",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The state and generation of a word, with an empty payload. A permit stores the period, and
/// another period makes its outcome stale.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Period(u64);

impl Period {
    pub(crate) const fn generation(self) -> u16 {
        GENERATION.get(self.0) as u16
    }

    pub(crate) const fn is_closed(self) -> bool {
        STATE.get(self.0) == CLOSED
    }

    pub(crate) const fn is_half_open(self) -> bool {
        STATE.get(self.0) == HALF_OPEN
    }

    /// The period of a call that is admitted without being counted: no permit has an open period.
    #[cfg(feature = "std")]
    pub(crate) const fn uncounted(self) -> Self {
        Self(STATE.set(self.0, OPEN))
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_half_open() { "probe" } else { "call" };
        write!(f, "{kind} of {}", self.generation())
    }
}

/// The origin of an open period's length, which bounds that length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Policy,
    /// A hint of the dependency.
    Hint,
    /// An operator command. Such a period has no reopens.
    Operator,
}

/// An open period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    /// The reopens since the breaker was last closed; saturates at [`MAX_REOPENS`].
    pub(crate) reopens: u8,
    pub(crate) origin: Origin,
    pub(crate) deadline: Deadline,
}

/// A half-open period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HalfOpen {
    pub(crate) reopens: u8,
    pub(crate) successes: u8,
    pub(crate) in_flight: u8,
    pub(crate) lease_end: LeaseEnd,
}

/// The state in which an operator holds the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    ForcedOpen,
    Disabled,
}

/// A word, unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Closed, with the counts of the trip.
    Closed(u64),
    Open(Open),
    HalfOpen(HalfOpen),
    Held(Hold),
}

/// The whole state of a breaker.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Word(u64);

impl Word {
    /// The first word of a breaker: closed, generation 0, with the counts in `payload`.
    pub(crate) const fn new(payload: u64) -> Self {
        Self(PAYLOAD.set(STATE.set(0, CLOSED), payload))
    }

    #[inline]
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    #[inline]
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    pub(crate) const fn phase(self) -> Phase {
        let Self(word) = self;
        match STATE.get(word) {
            CLOSED => Phase::Closed(PAYLOAD.get(word)),
            OPEN => Phase::Open(open(word)),
            HALF_OPEN => Phase::HalfOpen(HalfOpen {
                reopens: HALF_OPEN_REOPENS.get(word) as u8,
                successes: SUCCESSES.get(word) as u8,
                in_flight: IN_FLIGHT.get(word) as u8,
                lease_end: LeaseEnd::new(LEASE_END.get(word)),
            }),
            _ => Phase::Held(if HOLD.get(word) == DISABLED {
                Hold::Disabled
            } else {
                Hold::ForcedOpen
            }),
        }
    }

    /// The deadline of an open period.
    #[inline]
    pub(crate) const fn deadline(self) -> Option<Deadline> {
        if STATE.get(self.0) == OPEN {
            Some(Deadline::new(DEADLINE.get(self.0)))
        } else {
            None
        }
    }

    pub(crate) const fn state(self) -> State {
        match self.phase() {
            Phase::Closed(_) => State::Closed,
            Phase::Open(_) => State::Open,
            Phase::HalfOpen(_) => State::HalfOpen,
            Phase::Held(Hold::ForcedOpen) => State::ForcedOpen,
            Phase::Held(Hold::Disabled) => State::Disabled,
        }
    }

    #[inline]
    pub(crate) const fn is_closed(self) -> bool {
        self.state_bits() == CLOSED
    }

    #[inline]
    pub(crate) const fn is_open(self) -> bool {
        self.state_bits() == OPEN
    }

    /// The state as a number, to be compared with [`CLOSED`].
    #[inline]
    pub(crate) const fn state_bits(self) -> u64 {
        STATE.get(self.0)
    }

    #[inline]
    pub(crate) const fn period(self) -> Period {
        Period(PAYLOAD.set(self.0, 0))
    }

    pub(crate) const fn generation(self) -> u16 {
        GENERATION.get(self.0) as u16
    }

    /// Whether this is a word of `period` with `payload`, under `mask`. The mask includes
    /// [`HEADER`].
    #[inline]
    pub(crate) const fn is(self, period: Period, payload: u64, mask: u64) -> bool {
        self.0 & mask == period.0 | payload
    }

    /// Whether this word belongs to `period`.
    #[inline]
    pub(crate) const fn is_of(self, period: Period) -> bool {
        self.period().0 == period.0
    }

    /// Rule 1: the next period, with an empty payload.
    const fn begin(self, state: u64) -> Self {
        let generation = self.generation().wrapping_add(1);
        Self(GENERATION.set(STATE.set(0, state), generation as u64))
    }

    pub(crate) const fn begin_closed(self, payload: u64) -> Self {
        self.begin(CLOSED).with_payload(payload)
    }

    pub(crate) const fn begin_open(self, open: Open) -> Self {
        let Self(word) = self.begin(OPEN);
        let word = DEADLINE.set(word, open.deadline.get());
        let (explicit, reopens) = match open.origin {
            Origin::Policy => (0, open.reopens as u64),
            Origin::Hint => (1, open.reopens as u64),
            Origin::Operator => (1, BY_OPERATOR),
        };
        Self(OPEN_REOPENS.set(EXPLICIT.set(word, explicit), reopens))
    }

    /// Half-open with its first probe in flight.
    pub(crate) const fn begin_half_open(self, reopens: u8, lease_end: LeaseEnd) -> Self {
        let Self(word) = self.begin(HALF_OPEN);
        let word = Self(HALF_OPEN_REOPENS.set(SENTINEL.set(word, 1), reopens as u64));
        word.with_in_flight(1).with_lease_end(lease_end)
    }

    pub(crate) const fn begin_held(self, hold: Hold) -> Self {
        let Self(word) = self.begin(HELD);
        match hold {
            Hold::ForcedOpen => Self(word),
            Hold::Disabled => Self(HOLD.set(word, DISABLED)),
        }
    }

    #[inline]
    pub(crate) const fn payload(self) -> u64 {
        PAYLOAD.get(self.0)
    }

    #[inline]
    pub(crate) const fn with_payload(self, payload: u64) -> Self {
        Self(PAYLOAD.set(self.0, payload))
    }

    pub(crate) const fn with_in_flight(self, in_flight: u8) -> Self {
        Self(IN_FLIGHT.set(self.0, in_flight as u64))
    }

    pub(crate) const fn with_successes(self, successes: u8) -> Self {
        Self(SUCCESSES.set(self.0, successes as u64))
    }

    pub(crate) const fn with_lease_end(self, lease_end: LeaseEnd) -> Self {
        Self(LEASE_END.set(self.0, lease_end.get()))
    }
}

/// The payload of an open word, unpacked.
const fn open(word: u64) -> Open {
    let (reopens, origin) = match (EXPLICIT.get(word), OPEN_REOPENS.get(word)) {
        (0, reopens) => (reopens, Origin::Policy),
        (_, BY_OPERATOR) => (0, Origin::Operator),
        (_, reopens) => (reopens, Origin::Hint),
    };
    Open {
        reopens: reopens as u8,
        origin,
        deadline: Deadline::new(DEADLINE.get(word)),
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.generation(), self.phase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn old(generation: u16) -> Word {
        Word(GENERATION.set(STATE.set(u64::MAX, HALF_OPEN), u64::from(generation)))
    }

    /// I17: a field returns the value stored, at both ends of its range, and no other field
    /// changes.
    #[test]
    fn a_word_gives_back_what_it_was_made_of() {
        for generation in [0, 1, u16::MAX - 1, u16::MAX] {
            for (reopens, origin, ticks) in [
                (0, Origin::Policy, 0),
                (MAX_REOPENS, Origin::Hint, u64::MAX),
                (7, Origin::Policy, 1),
                (0, Origin::Operator, u64::MAX),
            ] {
                let open = Open {
                    reopens,
                    origin,
                    deadline: Deadline::new(ticks),
                };
                let word = old(generation).begin_open(open);
                assert_eq!(word.phase(), Phase::Open(open));
                assert_eq!(word.generation(), generation.wrapping_add(1));
            }
            for (successes, in_flight, ticks) in [(0, 0, 0), (MAX_PROBES, MAX_PROBES, u64::MAX)] {
                let half_open = HalfOpen {
                    reopens: MAX_REOPENS,
                    successes,
                    in_flight,
                    lease_end: LeaseEnd::new(ticks),
                };
                let word = old(generation)
                    .begin_half_open(MAX_REOPENS, LeaseEnd::new(0))
                    .with_successes(successes)
                    .with_in_flight(in_flight)
                    .with_lease_end(LeaseEnd::new(ticks));
                assert_eq!(word.phase(), Phase::HalfOpen(half_open));
                assert_eq!(word.generation(), generation.wrapping_add(1));
            }
            for payload in [0, 1, PAYLOAD.max()] {
                let word = old(generation).begin_closed(payload);
                assert_eq!(word.phase(), Phase::Closed(payload));
                assert_eq!(word.generation(), generation.wrapping_add(1));
            }
            for hold in [Hold::ForcedOpen, Hold::Disabled] {
                let word = old(generation).begin_held(hold);
                assert_eq!(word.phase(), Phase::Held(hold));
                assert_eq!(word.generation(), generation.wrapping_add(1));
            }
        }
    }

    #[test]
    fn a_word_of_zeros_is_forced_open() {
        assert_eq!(Word(0).state(), State::ForcedOpen);
    }

    #[test]
    fn a_period_is_its_state_and_its_generation() {
        let closed = old(8).begin_closed(0b1011);
        assert!(closed.is_of(closed.with_payload(1).period()));
        assert!(!closed.is_of(old(9).begin_closed(0b1011).period()));
        assert!(!closed.is_of(old(8).begin_held(Hold::Disabled).period()));
        assert!(closed.is(closed.period(), 0b1011, u64::MAX));
        assert!(closed.is(closed.period(), 0b1000, HEADER | 0b1000));
        assert_eq!(closed.period().generation(), 9);
        let probing = old(9).begin_half_open(0, LeaseEnd::new(0));
        assert!(probing.period().is_half_open() && !closed.period().is_half_open());
        #[cfg(feature = "std")]
        assert!(closed.period().is_closed() && !probing.period().is_closed());
        assert_eq!(format!("{:?}", closed.period()), "call of 9");
        assert_eq!(format!("{:?}", probing.period()), "probe of 10");
    }

    #[test]
    fn a_state_is_shown_by_its_name() {
        use State::{Closed, Disabled, ForcedOpen, HalfOpen, Open};
        let names = [Closed, Open, HalfOpen, ForcedOpen, Disabled].map(State::as_str);
        assert_eq!(
            names,
            ["closed", "open", "half-open", "forced-open", "disabled"]
        );
        assert_eq!(format!("{HalfOpen:>10}"), " half-open");
    }

    #[test]
    fn a_word_is_shown_taken_apart() {
        assert_eq!(format!("{:?}", old(6).begin_closed(5)), "7: Closed(5)");
    }

    /// Rule 4, so that one comparison suffices for a healthy call.
    #[test]
    fn a_probe_in_flight_is_never_taken_for_a_healthy_call() {
        for in_flight in 1..=MAX_PROBES {
            let word = old(0)
                .begin_half_open(0, LeaseEnd::new(0))
                .with_in_flight(in_flight);
            assert!(SENTINEL.get(word.bits()) == 1 && PAYLOAD.get(word.bits()).count_ones() >= 2);
        }
    }
}

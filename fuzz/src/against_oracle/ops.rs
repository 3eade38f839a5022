//! Operations of a game.
//!
//! | input | operation |
//! |---|---|
//! | `a` | requests admission, and holds the permit |
//! | `s` `f` `i` digit | records a success, a failure, an ignored outcome with the held permit of that index, modulo their number |
//! | `h` digit time | records a failure with a hint of that length |
//! | `d` `k` `u` digit | drops a permit, leaks it, drops it by a panic |
//! | `c` `C` end time | a whole call of that duration, as a closure, as a future; ends by `s`, `f`, `i`, `h` time, `u` a panic or `v` a panic of its classifier |
//! | `x` time | a future that is dropped after that time |
//! | `P` number number time | that number of calls, the period of failures among them (0: none), the time between calls; `p` counts in hundreds |
//! | `O` `o` time | forces the breaker open; for that time |
//! | `D` `R` `Z` | disables, resumes, resets |
//! | `+` `-` time | advances the clock, steps it back |
//! | `=` `_` time | sets the clock; sets it to that time before `u64::MAX` |
//! | `!` `?` offset | sets the clock to the deadline; to that offset from it |
//! | `.` `,` offset | sets the clock to the end of the lease; to that offset from it |
//! | `%` digit offset | advances by that number of tenths of the window, plus the offset |
//! | `^` offset | advances to the next whole tenth, plus the offset |
//!
//! Any other byte selects one of these by its value.

use std::time::Duration;

use cutout::Outcome;

use super::{
    decode::Decoder,
    oracle::lockstep::{End, Op},
};

const OPS: &[u8] = b"asfihdkucCxPpOoDRZ+-=_!?.,%^";

pub(super) fn read(decoder: &mut Decoder<'_>) -> Option<Op> {
    let letter = decoder.next()?;
    let letter = if OPS.contains(&letter) {
        letter
    } else {
        OPS[usize::from(letter) % OPS.len()]
    };
    Some(match letter {
        b'a' => Op::Acquire,
        b's' => Op::Report(index(decoder), Outcome::Success),
        b'f' => Op::Report(index(decoder), Outcome::Failure),
        b'i' => Op::Report(index(decoder), Outcome::Ignored),
        b'h' => Op::Report(index(decoder), Outcome::FailureFor(decoder.time())),
        b'd' => Op::Drop(index(decoder)),
        b'k' => Op::Forget(index(decoder)),
        b'u' => Op::Unwind(index(decoder)),
        b'c' | b'C' => Op::Call {
            end: end(decoder),
            takes: decoder.time(),
            future: letter == b'C',
        },
        b'x' => Op::Cancel {
            after: decoder.time(),
        },
        b'P' => run(decoder, 1),
        b'p' => run(decoder, 100),
        b'O' => Op::ForceOpen,
        b'o' => Op::ForceOpenFor(decoder.time()),
        b'D' => Op::Disable,
        b'R' => Op::Resume,
        b'Z' => Op::Reset,
        b'+' => Op::Advance(decoder.time()),
        b'-' => Op::StepBack(decoder.time()),
        b'=' => Op::SetClock(nanos(decoder.time())),
        b'_' => Op::SetClock(u64::MAX - nanos(decoder.time())),
        b'!' => Op::ToDeadline(0),
        b'?' => Op::ToDeadline(decoder.offset()),
        b'.' => Op::ToLeaseEnd(0),
        b',' => Op::ToLeaseEnd(decoder.offset()),
        b'%' => Op::Tenths(tenths(decoder), decoder.offset()),
        _ => Op::ToTenth(decoder.offset()),
    })
}

fn index(decoder: &mut Decoder<'_>) -> usize {
    usize::try_from(decoder.digit()).unwrap_or(usize::MAX)
}

fn tenths(decoder: &mut Decoder<'_>) -> u32 {
    u32::try_from(decoder.digit().min(40)).expect("at most 40")
}

fn end(decoder: &mut Decoder<'_>) -> End {
    match decoder.letter() {
        b's' => End::Outcome(Outcome::Success),
        b'i' => End::Outcome(Outcome::Ignored),
        b'h' => End::Outcome(Outcome::FailureFor(decoder.time())),
        b'u' => End::Panic,
        b'v' => End::ClassifierPanic,
        _ => End::Outcome(Outcome::Failure),
    }
}

fn run(decoder: &mut Decoder<'_>, times: u32) -> Op {
    Op::Play {
        calls: times * decoder.number_in(0, 100),
        fail_every: decoder.number_in(0, u32::MAX),
        gap: decoder.time(),
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

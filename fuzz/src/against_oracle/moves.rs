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
    letters::Letters,
    oracle::lockstep::{End, Op},
};

const MOVES: &[u8] = b"asfihdkucCxPpOoDRZ+-=_!?.,%^";

pub(super) fn read(letters: &mut Letters<'_>) -> Option<Op> {
    let letter = letters.next()?;
    let letter = if MOVES.contains(&letter) {
        letter
    } else {
        MOVES[usize::from(letter) % MOVES.len()]
    };
    Some(match letter {
        b'a' => Op::Acquire,
        b's' => Op::Report(place(letters), Outcome::Success),
        b'f' => Op::Report(place(letters), Outcome::Failure),
        b'i' => Op::Report(place(letters), Outcome::Ignored),
        b'h' => Op::Report(place(letters), Outcome::FailureFor(letters.time())),
        b'd' => Op::Drop(place(letters)),
        b'k' => Op::Forget(place(letters)),
        b'u' => Op::Unwind(place(letters)),
        b'c' | b'C' => Op::Call {
            end: end(letters),
            takes: letters.time(),
            future: letter == b'C',
        },
        b'x' => Op::Cancel {
            after: letters.time(),
        },
        b'P' => run(letters, 1),
        b'p' => run(letters, 100),
        b'O' => Op::ForceOpen,
        b'o' => Op::ForceOpenFor(letters.time()),
        b'D' => Op::Disable,
        b'R' => Op::Resume,
        b'Z' => Op::Reset,
        b'+' => Op::Advance(letters.time()),
        b'-' => Op::StepBack(letters.time()),
        b'=' => Op::SetClock(nanos(letters.time())),
        b'_' => Op::SetClock(u64::MAX - nanos(letters.time())),
        b'!' => Op::ToDeadline(0),
        b'?' => Op::ToDeadline(letters.offset()),
        b'.' => Op::ToLeaseEnd(0),
        b',' => Op::ToLeaseEnd(letters.offset()),
        b'%' => Op::Tenths(tenths(letters), letters.offset()),
        _ => Op::ToTenth(letters.offset()),
    })
}

fn place(letters: &mut Letters<'_>) -> usize {
    usize::try_from(letters.digit()).unwrap_or(usize::MAX)
}

fn tenths(letters: &mut Letters<'_>) -> u32 {
    u32::try_from(letters.digit().min(40)).expect("at most 40")
}

fn end(letters: &mut Letters<'_>) -> End {
    match letters.letter() {
        b's' => End::Outcome(Outcome::Success),
        b'i' => End::Outcome(Outcome::Ignored),
        b'h' => End::Outcome(Outcome::FailureFor(letters.time())),
        b'u' => End::Panic,
        b'v' => End::ClassifierPanic,
        _ => End::Outcome(Outcome::Failure),
    }
}

fn run(letters: &mut Letters<'_>, times: u32) -> Op {
    Op::Play {
        calls: times * letters.number_in(0, 100),
        fail_every: letters.number_in(0, u32::MAX),
        gap: letters.time(),
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

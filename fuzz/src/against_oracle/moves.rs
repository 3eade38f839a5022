//! What can happen in a game.
//!
//! | written | does |
//! |---|---|
//! | `a` | asks to make a call, and holds the permit |
//! | `s` `f` `i` digit | reports a success, a failure, an ignored outcome with the permit held at that place, modulo how many are held |
//! | `h` digit time | a failure with a hint of that length |
//! | `d` `k` `u` digit | drops a permit, leaks it, drops it by a panic |
//! | `c` `C` end time | a whole call that takes so long, as a closure, as a future. It ends by `s`, `f`, `i`, `h` time, `u` a panic or `v` a panic of its classifier |
//! | `x` time | a future that is dropped after so long |
//! | `P` number number time | so many calls, every so-manyth fails (0: none), each so long after the one before; `p` counts in hundreds |
//! | `O` `o` time | forces it open; for so long |
//! | `D` `R` `Z` | disables, resumes, resets |
//! | `+` `-` time | the clock goes on, steps back |
//! | `=` `_` time | the clock reads that; so much less than `u64::MAX` |
//! | `!` `?` offset | to the deadline; so far from it |
//! | `.` `,` offset | to the end of the lease; so far from it |
//! | `%` digit offset | on by so many tenths of the window, and so far |
//! | `^` offset | on to the next whole tenth, and so far |
//!
//! Any other byte is one of these, by its number.

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

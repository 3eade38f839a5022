//! Inputs of the search, and the moments at which they happen.

use super::{
    super::{
        rules::{LONGEST_EXPLICIT_MS, LONGEST_HINT_MS, Rules, SHORTEST_EXPLICIT_MS},
        step::{Command, Report, TimeSample},
        tick::{Deadline, LeaseEnd},
        word::{Phase, Word},
    },
    configuration::{Configuration, HeldPermit},
    ends::window_verdicts,
};

pub(super) const MS: u64 = 1_000_000;
pub(super) const DEADLINE_TICK: u64 = 250_000;
pub(super) const LEASE_TICK: u64 = 4 * MS;
/// Period in nanoseconds after which deadlines repeat; lease ends repeat more often.
pub(super) const WRAP: u64 = DEADLINE_TICK << Deadline::BITS;
const LEASE_WRAP: u64 = LEASE_TICK << LeaseEnd::BITS;

/// No hint, hints shorter and longer than the open periods of the cases, and the longest hint that
/// is applied.
const HINTS: [u64; 4] = [0, 5, 25, LONGEST_HINT_MS];

pub(super) const COMMANDS: [Command; 6] = [
    Command::ForceOpen,
    Command::Disable,
    Command::OpenFor(SHORTEST_EXPLICIT_MS),
    Command::OpenFor(LONGEST_EXPLICIT_MS),
    Command::Resume,
    Command::Reset,
];

#[derive(Clone, Copy, Debug)]
pub(super) enum Input {
    Admit(TimeSample),
    /// The flag is the verdict of an external window, if there is one.
    Report(HeldPermit, Report, bool),
    Leak(HeldPermit),
    Operate(Command, TimeSample),
}

/// Every input that can happen next.
pub(super) fn inputs(configuration: &Configuration, rules: &Rules) -> Vec<Input> {
    let mut inputs: Vec<_> = moments(configuration.word, rules)
        .map(Input::Admit)
        .collect();
    for command in COMMANDS {
        inputs.extend(ANY_TIME.map(|now| Input::Operate(command, at(now))));
    }
    let mut permits = configuration.permits.clone();
    permits.dedup();
    for permit in permits {
        inputs.push(Input::Leak(permit));
        for report in reports(permit.is_current()) {
            let period = permit.period(configuration.word);
            let verdicts = window_verdicts(configuration.word, period, report, rules);
            let input = |window_trips: &bool| Input::Report(permit, report, *window_trips);
            inputs.extend(verdicts.iter().map(input));
        }
    }
    inputs
}

/// Moments far from any end: there the time decides the jitter, and nothing more.
pub(super) const ANY_TIME: [u64; 2] = [WRAP + 7 * MS + 1, u64::MAX];

pub(super) fn at(now: u64) -> TimeSample {
    TimeSample { now, salt: 0xC0DE }
}

/// The moment `nanos` after `now`, on a clock whose readings continue past `u64::MAX`.
pub(super) fn later(now: u64, nanos: u64) -> TimeSample {
    at(now % WRAP + nanos)
}

/// Ends of a call. A stale permit has far fewer, because `words` checks stale outcomes for each
/// word.
fn reports(current: bool) -> impl Iterator<Item = Report> {
    let (hints, times) = if current {
        (&HINTS[..], &ANY_TIME[..])
    } else {
        (&HINTS[..1], &ANY_TIME[..1])
    };
    let failure = |now: u64| {
        hints.iter().map(move |&hint_ms| Report::Failure {
            moment: at(now),
            hint_ms,
        })
    };
    let failures = times.iter().flat_map(move |&now| failure(now));
    failures.chain([Report::Success { now: 0 }, Report::Ignored])
}

/// The moments that could matter to an admission: around the end in the word, and extreme ones.
pub(super) fn moments(word: Word, rules: &Rules) -> impl Iterator<Item = TimeSample> {
    let near = match word.phase() {
        Phase::Open(open) => around(
            deadline_nanos(open.deadline),
            DEADLINE_TICK,
            rules.longest_open(open.reopens, open.origin),
            WRAP,
        ),
        Phase::HalfOpen(half_open) => around(
            lease_end_nanos(half_open.lease_end),
            LEASE_TICK,
            rules.longest_lease(half_open.reopens),
            LEASE_WRAP,
        ),
        Phase::Closed(_) | Phase::Held(_) => Vec::new(),
    };
    near.into_iter().chain([0, u64::MAX]).map(at)
}

/// Moments around an end: the first from which it is ahead and the last from which it is not yet
/// ahead. Then its last millisecond, tick and nanosecond, the end itself, just past it, a leap past
/// it, and a step back.
fn around(end: u64, tick: u64, longest: u64, wrap: u64) -> Vec<u64> {
    let span = longest * tick;
    vec![
        end - span - 1,
        end - span,
        end - span / 2,
        end - MS,
        end - tick,
        end - 1,
        end,
        end + 1,
        end + tick,
        end + wrap / 2,
    ]
}

/// A clock reading exactly at this deadline, with room to step back from it.
pub(super) fn deadline_nanos(deadline: Deadline) -> u64 {
    WRAP + deadline.get() * DEADLINE_TICK
}

/// A clock reading exactly at this lease end.
pub(super) fn lease_end_nanos(lease_end: LeaseEnd) -> u64 {
    LEASE_WRAP + lease_end.get() * LEASE_TICK
}

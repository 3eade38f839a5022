//! Simulation of a client that calls through a breaker.

use std::cmp::max;

use super::super::{
    super::{
        rules::Rules,
        step::{
            AdmitVerdict, Command, Report, Step, TimeSample, admit::RejectReason, operate, record,
        },
        tick::LeaseEnd,
        word::{MAX_REOPENS, Phase, State, Word},
    },
    edges::admission::{SLACK_TICKS, lease_ms, lease_ticks},
    inputs::{DEADLINE_TICK, LEASE_TICK, MS, WRAP, at},
};

/// Duration of the client's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallTime {
    Nothing,
    /// A nanosecond less than the current lease.
    LessThanTheLease,
    /// Exactly the current lease: the lease is over when the call ends.
    TheLease,
    /// A nanosecond less than the longest lease: the most that a slow but healthy dependency may
    /// take.
    LessThanTheLongestLease,
    /// A nanosecond more than the longest lease, plus the rounding to ticks.
    MoreThanAnyLease,
}

/// Another caller, while the client's call is in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contender {
    None,
    /// Asks for admission when the call ends, and at the end of every lease before that; its
    /// admitted calls never return. (Without a contender no call finds the expired lease, and a
    /// call of any length recovers the breaker.)
    Asks,
}

/// The caller that drives the word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    pub(super) call_time: CallTime,
    pub(super) contender: Contender,
}

/// The function that decides an admission: the shipped one, or a mutant.
pub(super) type Admit = fn(Word, &Rules, TimeSample) -> Step<AdmitVerdict>;

/// Effort to close a word.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Effort {
    /// Number of the client's attempts.
    pub(super) attempts: u32,
    /// Total time that the client waited, including its calls.
    pub(super) millis: u64,
    /// Number of reopens in that time.
    pub(super) reopened: u32,
}

impl Effort {
    pub(super) fn most(self, other: Self) -> Self {
        Self {
            attempts: max(self.attempts, other.attempts),
            millis: max(self.millis, other.millis),
            reopened: max(self.reopened, other.reopened),
        }
    }
}

/// A simulated breaker.
pub(super) struct Simulation<'a> {
    pub(super) word: Word,
    now: u64,
    rules: &'a Rules,
    admit: Admit,
    effort: Effort,
    /// Number of rejections since the last admission.
    rejected: u32,
}

impl<'a> Simulation<'a> {
    /// Starts from this word at this moment; an operator resumes a held word.
    pub(super) fn from(word: Word, now: u64, rules: &'a Rules, admit: Admit) -> Self {
        let word = match word.phase() {
            Phase::Held(_) => operate(word, Command::Resume, rules, at(now)).word,
            _ => word,
        };
        Self {
            word,
            now: now % WRAP,
            rules,
            admit,
            effort: Effort::default(),
            rejected: 0,
        }
    }

    fn ask(&mut self) -> AdmitVerdict {
        let Step { word, verdict } = (self.admit)(self.word, self.rules, at(self.now));
        let gives_up = self.word.state() == State::HalfOpen && word.state() == State::Open;
        self.effort.reopened += u32::from(gives_up);
        self.word = word;
        verdict
    }

    fn wait(&mut self, nanos: u64) {
        self.now += nanos;
        self.effort.millis += nanos.div_ceil(MS);
    }

    /// Makes one attempt, and acts on its verdict.
    fn attempt(&mut self, client: Client) {
        self.effort.attempts += 1;
        match self.ask() {
            AdmitVerdict::Rejected(reason) => {
                self.rejected += 1;
                self.wait(match reason {
                    RejectReason::Open { remaining } => remaining * DEADLINE_TICK,
                    RejectReason::Busy { .. } => longest_lease(self.rules, self.word),
                    RejectReason::Forced => unreachable!("resumed at the beginning"),
                });
            }
            AdmitVerdict::Admitted(permit) => {
                self.rejected = 0;
                self.call(client);
                let step = record(self.word, permit, Report::Success { now: 0 }, self.rules);
                self.word = step.word;
            }
        }
    }

    /// A call in progress.
    fn call(
        &mut self,
        Client {
            call_time,
            contender,
        }: Client,
    ) {
        let lease = |reopens| lease_ms(self.rules, reopens) * MS;
        let longest = || lease(MAX_REOPENS);
        let mut remaining = match call_time {
            CallTime::Nothing => 0,
            CallTime::LessThanTheLease => lease(reopens(self.word)) - 1,
            CallTime::TheLease => lease(reopens(self.word)),
            CallTime::LessThanTheLongestLease => longest() - 1,
            CallTime::MoreThanAnyLease => longest() + (SLACK_TICKS + 2) * LEASE_TICK,
        };
        while contender == Contender::Asks && self.word.state() == State::HalfOpen {
            let left = match self.word.phase() {
                Phase::HalfOpen(half_open) => {
                    half_open.lease_end.since(LeaseEnd::of(self.now)) * LEASE_TICK
                        - self.now % LEASE_TICK
                }
                _ => 0,
            };
            if left > remaining {
                break;
            }
            self.wait(left);
            remaining -= left;
            self.ask();
        }
        self.wait(remaining);
        if contender == Contender::Asks {
            self.ask();
        }
    }

    /// Makes attempts until the word is closed; `None` if that exceeds `most`.
    pub(super) fn close(mut self, client: Client, most: Effort) -> Option<Effort> {
        while !self.word.is_closed() {
            if self.effort.attempts == most.attempts {
                return None;
            }
            self.attempt(client);
        }
        let Effort {
            millis, reopened, ..
        } = self.effort;
        (millis <= most.millis && reopened <= most.reopened).then_some(self.effort)
    }

    /// Whether the word is closed after many attempts; `None` after too many rejections in a row.
    pub(super) fn keeps_probing(mut self, client: Client) -> Option<bool> {
        for _ in 0..ATTEMPTS {
            self.attempt(client);
            if self.rejected > MAX_REJECTIONS {
                return None;
            }
        }
        Some(self.word.is_closed())
    }
}

/// Maximum number of rejections in a row for a client that waits as reported.
pub(super) const MAX_REJECTIONS: u32 = 3;
/// Number of attempts: several times what the lease needs to reach its maximum.
const ATTEMPTS: u32 = 40;

fn reopens(word: Word) -> u8 {
    match word.phase() {
        Phase::HalfOpen(half_open) => half_open.reopens,
        Phase::Open(open) => open.reopens,
        _ => 0,
    }
}

/// Nanoseconds after which a lease has expired on any clock.
fn longest_lease(rules: &Rules, word: Word) -> u64 {
    (lease_ticks(rules, reopens(word)) + SLACK_TICKS + 1) * LEASE_TICK
}

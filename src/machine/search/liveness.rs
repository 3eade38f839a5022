//! Liveness (I9, I10): from every word that is reached, a bounded number of calls and a bounded wait lead back to
//! closed, as long as calls succeed faster than the lease lets them; and where they never do, the breaker goes on
//! probing.
//!
//! The word is driven by a [`Caller`] who knows no more than a user of the breaker does. It asks; when it is told
//! how long the breaker is open it waits that long, when all places are taken it waits for a lease; when it is let
//! through, its call takes its time and succeeds. The clock reads anything at first and runs on from there. What
//! the word counts as in flight are calls that never come back: leaked permits, hung calls. And while the
//! caller's own call is under way there is a [`Rival`].
//!
//! | calls take | then |
//! |---|---|
//! | less than the lease | closed after at most 2 + `probe_successes` asks: one finds all places taken and one that their lease is over, or one that it is open. That takes at most a lease, an open period and the calls |
//! | less than the longest lease (by default up to eight times max(30 s, interval)) | closed after at most as many reopens as the lease grows by, and one; each costs at most two asks more |
//! | longer | if somebody else asks, a breaker of one probe never closes; in a row it rejects no more than [`REJECTIONS`] asks of a caller who waits as long as he must, and then lets him through |

use std::{cmp::max, collections::HashSet, fmt, num::NonZeroU32};

use super::{
    super::{
        rules::Rules,
        step::{Admission, Moment, Step, Verb, Vote, admit, admit::Refusal, operate, report},
        tick::{Deadline, LeaseEnd, SLACK_MS},
        word::{MAX_REOPENS, Open, Phase, State, Word},
    },
    edges::{
        admission::{SLACK_TICKS, lease_ticks},
        policy_interval,
    },
    for_each_subject,
    inputs::{DEADLINE_TICK, LEASE_TICK, MS, WRAP, at, moments},
    subjects::one_probe,
};

/// How long the calls take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Nothing,
    /// A tick less than the lease that stands.
    LessThanTheLease,
    /// Always a tick less than the lease after so many reopens that it grows no more: what a partner may take
    /// that is slow, but healthy.
    LessThanTheLongestLease,
    /// Always more than that.
    MoreThanAnyLease,
}

/// Somebody else, while the caller's call is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rival {
    None,
    /// Asks when the call ends and at the end of every lease before that, and never returns if it is let through.
    /// (Without one, nobody notices the end of a lease, and a call of any length recovers the breaker.)
    Asks,
}

/// Who drives the word.
#[derive(Clone, Copy, Debug)]
struct Caller {
    takes: Takes,
    rival: Rival,
}

/// The function that decides about a call: the shipped one, or one that is broken on purpose.
type Admit = fn(Word, &Rules, Moment) -> Step<Admission>;

/// What it took to close a word.
#[derive(Clone, Copy, Debug, Default)]
struct Effort {
    /// How often the caller asked.
    asked: u32,
    /// How long it waited, its own calls included.
    millis: u64,
    /// How often the breaker reopened meanwhile.
    reopened: u32,
}

impl Effort {
    fn most(self, other: Self) -> Self {
        Self {
            asked: max(self.asked, other.asked),
            millis: max(self.millis, other.millis),
            reopened: max(self.reopened, other.reopened),
        }
    }
}

/// A breaker that is driven.
struct Drive<'a> {
    word: Word,
    now: u64,
    rules: &'a Rules,
    admit: Admit,
    effort: Effort,
    /// How often the caller was rejected since it was last let through.
    rejected: u32,
}

impl<'a> Drive<'a> {
    /// From this word on, at this moment; an operator who holds it lets go.
    fn from(word: Word, now: u64, rules: &'a Rules, admit: Admit) -> Self {
        let word = match word.phase() {
            Phase::Held(_) => operate(word, Verb::Resume, rules, at(now)).word,
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

    fn ask(&mut self) -> Admission {
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

    /// Asks once, and does what follows from the answer.
    fn turn(&mut self, caller: Caller) {
        self.effort.asked += 1;
        match self.ask() {
            Admission::Rejected(refusal) => {
                self.rejected += 1;
                self.wait(match refusal {
                    Refusal::Open { rest } => rest * DEADLINE_TICK,
                    Refusal::Busy => longest_lease(self.rules, self.word),
                    Refusal::Forced => unreachable!("resumed at the beginning"),
                });
            }
            Admission::Admitted(permit) => {
                self.rejected = 0;
                self.call(caller);
                let step = report(self.word, permit, Vote::Success { now: 0 }, self.rules);
                self.word = step.word;
            }
        }
    }

    /// A call is under way.
    fn call(&mut self, Caller { takes, rival }: Caller) {
        let lease = |reopens| lease_ticks(self.rules, reopens) * LEASE_TICK;
        let longest = || lease(MAX_REOPENS);
        let mut rest = match takes {
            Takes::Nothing => 0,
            Takes::LessThanTheLease => lease(reopens(self.word)) - LEASE_TICK,
            Takes::LessThanTheLongestLease => longest() - LEASE_TICK,
            Takes::MoreThanAnyLease => longest() + SLACK_TICKS * LEASE_TICK,
        };
        while rival == Rival::Asks && self.word.state() == State::HalfOpen {
            let left = match self.word.phase() {
                Phase::HalfOpen(half_open) => {
                    half_open.lease_end.since(LeaseEnd::of(self.now)) * LEASE_TICK
                        - self.now % LEASE_TICK
                }
                _ => 0,
            };
            if left > rest {
                break;
            }
            self.wait(left);
            rest -= left;
            self.ask();
        }
        self.wait(rest);
        if rival == Rival::Asks {
            self.ask();
        }
    }

    /// Turns until the word is closed; `None` if that takes more than `most`.
    fn close(mut self, caller: Caller, most: Effort) -> Option<Effort> {
        while !self.word.is_closed() {
            if self.effort.asked == most.asked {
                return None;
            }
            self.turn(caller);
        }
        let Effort {
            millis, reopened, ..
        } = self.effort;
        (millis <= most.millis && reopened <= most.reopened).then_some(self.effort)
    }

    /// Whether the word is closed after many turns; `None` if the caller was not let through for too long.
    fn goes_on(mut self, caller: Caller) -> Option<bool> {
        for _ in 0..MANY {
            self.turn(caller);
            if self.rejected > REJECTIONS {
                return None;
            }
        }
        Some(self.word.is_closed())
    }
}

/// How often a caller is rejected in a row who waits as long as he must.
const REJECTIONS: u32 = 3;
/// As many turns as the lease needs to grow as long as it may, several times over.
const MANY: u32 = 40;

fn reopens(word: Word) -> u8 {
    match word.phase() {
        Phase::HalfOpen(half_open) => half_open.reopens,
        Phase::Open(open) => open.reopens,
        _ => 0,
    }
}

/// After so long a lease is over by any clock. Nanoseconds.
fn longest_lease(rules: &Rules, word: Word) -> u64 {
    (lease_ticks(rules, reopens(word)) + SLACK_TICKS) * LEASE_TICK
}

/// How often a breaker must reopen until the lease grows no more.
fn growths(rules: &Rules) -> u32 {
    let longest = lease_ticks(rules, MAX_REOPENS);
    let shorter = (0..MAX_REOPENS).take_while(|reopens| lease_ticks(rules, *reopens) < longest);
    u32::try_from(shorter.count()).expect("few")
}

/// What it takes at most to close this word, where calls take less than the lease.
fn most_if_fast(word: Word, rules: &Rules) -> Effort {
    let lease = |reopens| lease_ticks(rules, reopens) * 4;
    let (lost, open, reopens) = match word.phase() {
        Phase::Open(open) => (0, longest_open(open, rules), open.reopens),
        Phase::HalfOpen(half_open) => {
            let reopens = half_open.reopens + 1;
            let (_, most) = policy_interval(rules, reopens);
            (lease(half_open.reopens) + SLACK_MS, most, reopens)
        }
        Phase::Closed(_) | Phase::Held(_) => (0, 0, 0),
    };
    Effort {
        asked: 2 + u32::from(rules.probe_successes),
        millis: lost + open + SLACK_MS + u64::from(rules.probe_successes) * lease(reopens),
        reopened: 1,
    }
}

fn longest_open(open: Open, rules: &Rules) -> u64 {
    rules.longest_open(open.reopens, open.given) / Deadline::ticks(1)
}

/// The same, where they take less than the longest lease. (How long that takes is not bounded here.)
fn most_if_slow(rules: &Rules) -> Effort {
    let growths = growths(rules);
    Effort {
        asked: 2 + u32::from(rules.probe_successes) + 2 * growths,
        millis: u64::MAX,
        reopened: 1 + growths,
    }
}

/// What was found of one subject.
#[derive(Default)]
struct Found {
    drives: usize,
    fast: Effort,
    slow: Effort,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { drives, fast, slow } = self;
        let (asked, millis) = (fast.asked, fast.millis);
        write!(
            f,
            "{drives} drives, closed after at most {asked} asks and {millis} ms"
        )?;
        let (asked, reopened) = (slow.asked, slow.reopened);
        write!(
            f,
            "; by a slow partner after {asked} asks, {reopened} reopens"
        )
    }
}

/// Every caller, from every one of these words, at every moment that matters.
fn drive_all(words: &HashSet<Word>, rules: &Rules) -> Found {
    let mut found = Found::default();
    for &word in words {
        for moment in moments(word, rules) {
            for rival in [Rival::None, Rival::Asks] {
                drive(word, moment.now, rival, rules, &mut found);
            }
        }
    }
    found
}

fn drive(word: Word, now: u64, rival: Rival, rules: &Rules, found: &mut Found) {
    let by = |takes| {
        let caller = Caller { takes, rival };
        (Drive::from(word, now, rules, admit), caller)
    };
    for takes in [Takes::Nothing, Takes::LessThanTheLease] {
        let (drive, caller) = by(takes);
        let effort = drive.close(caller, most_if_fast(word, rules));
        let effort = effort.unwrap_or_else(|| panic!("liveness: {word:?} at {now}: {caller:?}"));
        found.fast = found.fast.most(effort);
    }
    let (drive, caller) = by(Takes::LessThanTheLongestLease);
    let effort = drive.close(caller, most_if_slow(rules));
    let effort = effort.unwrap_or_else(|| panic!("liveness: {word:?} at {now}: {caller:?}"));
    found.slow = found.slow.most(effort);
    let (drive, caller) = by(Takes::MoreThanAnyLease);
    let begins_closed = drive.word.is_closed();
    let closes = drive.goes_on(caller);
    let closes = closes.unwrap_or_else(|| panic!("I9: {word:?} at {now}: {caller:?}"));
    let never = rival == Rival::Asks && rules.probes == 1 && !begins_closed;
    assert!(!(never && closes), "lease: {word:?} at {now}");
    found.drives += 4;
}

/// I9, I10.
#[test]
fn every_reachable_word_leads_back_to_closed() {
    let found = for_each_subject(|subject, explored| {
        let words = explored.iter().flat_map(|explored| &explored.words);
        drive_all(&words.copied().collect(), &subject.rules)
    });
    for (subject, found) in found {
        println!("search: liveness: {}: {found}", subject.name);
        assert!(
            found.drives > 5_000,
            "{}: only {}",
            subject.name,
            found.drives
        );
    }
}

/// What a machine that is broken does from a word whose one place is taken for good.
fn closes(admit: Admit, takes: Takes, rules: &Rules) -> Option<Effort> {
    let word = Word::new(0).begin_half_open(0, LeaseEnd::of(7_000 * MS));
    let most = match takes {
        Takes::LessThanTheLongestLease => most_if_slow(rules),
        _ => most_if_fast(word, rules),
    };
    let caller = Caller {
        takes,
        rival: Rival::Asks,
    };
    Drive::from(word, 0, rules, admit).close(caller, most)
}

/// That the check can fail: without a lease, on a leaked permit.
#[test]
fn a_machine_without_a_lease_never_closes() {
    let without: Admit = |word, rules, moment| match word.phase() {
        Phase::HalfOpen(half_open) if half_open.in_flight >= rules.probes => Step {
            word,
            verdict: Admission::Rejected(Refusal::Busy),
        },
        _ => admit(word, rules, moment),
    };
    assert!(closes(admit, Takes::Nothing, &one_probe()).is_some());
    assert!(closes(without, Takes::Nothing, &one_probe()).is_none());
}

/// With a lease that does not grow, on a partner that is slow but healthy.
#[test]
fn a_lease_that_does_not_grow_never_closes_for_a_slow_partner() {
    let constant: Admit = |word, rules, moment| {
        let lease = NonZeroU32::new(30_000);
        admit(word, &Rules { lease, ..*rules }, moment)
    };
    let takes = Takes::LessThanTheLongestLease;
    assert!(closes(admit, takes, &one_probe()).is_some());
    assert!(closes(constant, takes, &one_probe()).is_none());
}

/// With deadlines compared by half their range, once the clock has stepped back: it rejects for years.
#[test]
fn a_deadline_compared_by_half_its_range_closes_too_late() {
    let half: Admit = |word, rules, moment| match word.phase() {
        Phase::Open(open) => match open
            .deadline
            .ahead_of(Deadline::of(moment.now), 1 << (Deadline::BITS - 1))
        {
            Some(rest) => Step {
                word,
                verdict: Admission::Rejected(Refusal::Open { rest }),
            },
            None => admit(word, rules, moment),
        },
        _ => admit(word, rules, moment),
    };
    let rules = one_probe();
    let word = Word::new(0).begin_open(Open {
        reopens: 0,
        given: false,
        deadline: Deadline::of(WRAP / 2),
    });
    let caller = Caller {
        takes: Takes::Nothing,
        rival: Rival::None,
    };
    let closes =
        |admit| Drive::from(word, 7, &rules, admit).close(caller, most_if_fast(word, &rules));
    assert!(closes(admit as Admit).is_some());
    assert!(closes(half).is_none());
}

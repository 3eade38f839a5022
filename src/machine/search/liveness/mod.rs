//! Liveness (I9, I10): from every word that is reached, a bounded number of calls and a bounded wait lead back to
//! closed, as long as calls succeed faster than the lease lets them; and where they never do, the breaker goes on
//! probing.
//!
//! The word is driven by a [`Caller`](drive::Caller) who knows no more than a user of the breaker does. It asks; when it is told
//! how long the breaker is open it waits that long, when all places are taken it waits for a lease; when it is let
//! through, its call takes its time and succeeds. The clock reads anything at first and runs on from there. What
//! the word counts as in flight are calls that never come back: leaked permits, hung calls. And while the
//! caller's own call is under way there is a [`Rival`](drive::Rival).
//!
//! | calls take | then |
//! |---|---|
//! | a nanosecond less than the lease, or sooner | closed after at most 2 + `probe_successes` asks: one finds all places taken and one that their lease is over, or one that it is open. That takes at most a lease, an open period and the calls |
//! | less than the longest lease (by default up to eight times max(30 s, interval), a day at most) | closed after at most as many reopens as the lease grows by, and one; each costs at most two asks more |
//! | as long as the lease, or longer | if somebody else asks, a breaker of one probe never closes; in a row it rejects no more than [`REJECTIONS`](drive::REJECTIONS) asks of a caller who waits as long as he must, and then lets him through |

mod drive;
mod twins;

use std::{collections::HashSet, fmt};

use super::{
    super::{
        rules::Rules,
        step::admit,
        tick::{Deadline, SLACK_MS},
        word::{MAX_REOPENS, Open, Phase, Word},
    },
    edges::{admission::lease_ticks, policy_interval},
    for_each_subject,
    inputs::moments,
};

use drive::{Caller, Drive, Effort, Rival, Takes};

/// How often a breaker must reopen until the lease grows no more.
fn growths(rules: &Rules) -> u32 {
    let longest = lease_ticks(rules, MAX_REOPENS);
    let shorter = (0..MAX_REOPENS).take_while(|reopens| lease_ticks(rules, *reopens) < longest);
    u32::try_from(shorter.count()).expect("few")
}

/// What it takes at most to close this word, where calls take less than the lease.
fn most_if_fast(word: Word, rules: &Rules) -> Effort {
    let lease = |reopens| (lease_ticks(rules, reopens) + 1) * 4;
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
    rules
        .longest_open(open.reopens, open.origin)
        .div_ceil(Deadline::ticks(1))
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
            "; by a slow dependency after {asked} asks, {reopened} reopens"
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
    for takes in [Takes::TheLease, Takes::MoreThanAnyLease] {
        let (drive, caller) = by(takes);
        let begins_closed = drive.word.is_closed();
        let closes = drive.goes_on(caller);
        let closes = closes.unwrap_or_else(|| panic!("I9: {word:?} at {now}: {caller:?}"));
        let never = rival == Rival::Asks && rules.probes == 1 && !begins_closed;
        let longer = takes == Takes::MoreThanAnyLease;
        assert!(!(longer && never && closes), "lease: {word:?} at {now}");
    }
    found.drives += 5;
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

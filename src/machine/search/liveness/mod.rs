//! Liveness (I9, I10): a bounded number of calls and a bounded wait lead from every reachable word
//! back to closed. This holds if calls succeed before the lease ends; otherwise the breaker keeps
//! probing.
//!
//! A [`Client`](simulation::Client) drives the word, with no more knowledge than a user of the
//! breaker has. It asks for admission. If the breaker is open, it waits for the reported time; if
//! all slots are taken, it waits for a lease. If it is admitted, its call takes its time and
//! succeeds.
//!
//! The clock starts at any reading and advances from there. Calls that the word counts as in flight
//! never return: leaked permits, hung calls. A [`Contender`](simulation::Contender) may act while
//! the client's own call is in progress.
//!
//! | calls take | result |
//! |---|---|
//! | a nanosecond less than the lease, or less | closed after at most 2 + `probe_successes` attempts; see below |
//! | less than the longest lease | closed after at most one reopen more than the lease grows; each costs at most two more attempts |
//! | as long as the lease, or longer | with a contender, a breaker with one probe never closes; it keeps admitting the client |
//!
//! In the first row, one attempt finds all slots taken and one finds their lease expired; or one
//! finds the breaker open. That takes at most a lease, an open period and the calls.
//!
//! In the second row, the longest lease is by default up to eight times max(30 s, interval), at
//! most a day.
//!
//! In the third row, a client that waits as reported is rejected at most
//! [`MAX_REJECTIONS`](simulation::MAX_REJECTIONS) times in a row.

mod mutants;
mod simulation;

use std::{collections::HashSet, fmt};

use super::{
    super::{
        rules::Rules,
        step::admit,
        tick::{Deadline, SLACK_MS},
        word::{MAX_REOPENS, Open, Phase, Word},
    },
    edges::{admission::lease_ticks, policy_interval},
    for_each_case,
    inputs::moments,
};

use simulation::{CallTime, Client, Contender, Effort, Simulation};

/// Number of reopens until the lease stops growing.
fn growths(rules: &Rules) -> u32 {
    let longest = lease_ticks(rules, MAX_REOPENS);
    let shorter = (0..MAX_REOPENS).take_while(|reopens| lease_ticks(rules, *reopens) < longest);
    u32::try_from(shorter.count()).expect("few")
}

/// Upper bound of the effort to close this word, where calls take less than the lease.
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
        attempts: 2 + u32::from(rules.probe_successes),
        millis: lost + open + SLACK_MS + u64::from(rules.probe_successes) * lease(reopens),
        reopened: 1,
    }
}

fn longest_open(open: Open, rules: &Rules) -> u64 {
    rules
        .longest_open(open.reopens, open.origin)
        .div_ceil(Deadline::ticks(1))
}

/// The same bound where calls take less than the longest lease. (It does not bound the time.)
fn most_if_slow(rules: &Rules) -> Effort {
    let growths = growths(rules);
    Effort {
        attempts: 2 + u32::from(rules.probe_successes) + 2 * growths,
        millis: u64::MAX,
        reopened: 1 + growths,
    }
}

/// Results of one case.
#[derive(Default)]
struct Found {
    simulations: usize,
    fast: Effort,
    slow: Effort,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            simulations,
            fast,
            slow,
        } = self;
        let (attempts, millis) = (fast.attempts, fast.millis);
        write!(
            f,
            "{simulations} simulations, closed after at most {attempts} attempts and {millis} ms"
        )?;
        let (attempts, reopened) = (slow.attempts, slow.reopened);
        write!(
            f,
            "; by a slow dependency after {attempts} attempts, {reopened} reopens"
        )
    }
}

/// Simulates every client, from every one of these words, at every moment that matters.
fn simulate_all(words: &HashSet<Word>, rules: &Rules) -> Found {
    let mut found = Found::default();
    for &word in words {
        for moment in moments(word, rules) {
            for contender in [Contender::None, Contender::Asks] {
                simulate(word, moment.now, contender, rules, &mut found);
            }
        }
    }
    found
}

fn simulate(word: Word, now: u64, contender: Contender, rules: &Rules, found: &mut Found) {
    let by = |call_time| {
        let client = Client {
            call_time,
            contender,
        };
        (Simulation::from(word, now, rules, admit), client)
    };
    for call_time in [CallTime::Nothing, CallTime::LessThanTheLease] {
        let (simulation, client) = by(call_time);
        let effort = simulation.close(client, most_if_fast(word, rules));
        let effort = effort.unwrap_or_else(|| panic!("liveness: {word:?} at {now}: {client:?}"));
        found.fast = found.fast.most(effort);
    }
    let (simulation, client) = by(CallTime::LessThanTheLongestLease);
    let effort = simulation.close(client, most_if_slow(rules));
    let effort = effort.unwrap_or_else(|| panic!("liveness: {word:?} at {now}: {client:?}"));
    found.slow = found.slow.most(effort);
    for call_time in [CallTime::TheLease, CallTime::MoreThanAnyLease] {
        let (simulation, client) = by(call_time);
        let begins_closed = simulation.word.is_closed();
        let closes = simulation.keeps_probing(client);
        let closes = closes.unwrap_or_else(|| panic!("I9: {word:?} at {now}: {client:?}"));
        let never = contender == Contender::Asks && rules.probes == 1 && !begins_closed;
        let longer = call_time == CallTime::MoreThanAnyLease;
        assert!(!(longer && never && closes), "lease: {word:?} at {now}");
    }
    found.simulations += 5;
}

/// I9, I10.
#[test]
fn every_reachable_word_leads_back_to_closed() {
    let found = for_each_case(|case, explored| {
        let words = explored.iter().flat_map(|explored| &explored.words);
        simulate_all(&words.copied().collect(), &case.rules)
    });
    for (case, found) in found {
        println!("search: liveness: {}: {found}", case.name);
        assert!(
            found.simulations > 5_000,
            "{}: only {}",
            case.name,
            found.simulations
        );
    }
}

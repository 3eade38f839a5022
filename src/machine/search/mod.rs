//! The exhaustive search of the pure `step`: every state that some history of a breaker can reach, and
//! every input in each of them (`docs/proof.md`). It covers the word of all four kinds of trips: a
//! run, a window in the word, a ring, time buckets.
//!
//! A state of the search is a [`Configuration`](configuration::Configuration): a word and the permits that are outstanding.
//! Five things make their number small:
//!
//! 1. *Generations are relative.* After each step the word is [brought home](canonical): it gets the same
//!    generation again and the permits move with it. A permit of long ago stays at the age
//!    [`OLDER`](configuration::OLDER), and each word is tried against every older generation there is (I4).
//! 2. *Time is relative.* The deadline or the lease end is brought home too. What the clock reads is no
//!    part of a scene: each input happens at every moment that could matter to its word, in any order.
//!    So the search covers every clock, also one that stands still, leaps or steps back.
//! 3. *Permits are few.* At most [`MAX_PERMITS`](configuration::MAX_PERMITS) are outstanding; one more replaces the oldest.
//! 4. *Calls and buckets are relative.* The steps never look at the number of the call or of the bucket
//!    that a word keeps for a window [beside](external) it, so it is brought home too.
//! 5. *Reopens are few.* They are counted up to where more make no difference, and by one of the
//!    [cases] up to where the count saturates.
//!
//! | file | what is checked there | how often |
//! |---|---|---|
//! | [`external`] | trip or count, where a window beside the word judges | on each such edge |
//! | [`edges`] | I2, I3, I12, I13, I17, I25, the verdicts | on each edge |
//! | [`configuration`] | I5 | in each scene |
//! | [`words`] | I4, I9, I10, I16, I17, I25, the shortcuts of the shell | in each distinct word |
//! | [`liveness`] | I9, I10: the way back to closed | from each distinct word, at each moment that matters |
//! | [`fields`] | I17 | at the extremes of each field |
//! | [`wrap`] | I27 | by a generation of two bits |
//!
//! A check that fails prints the shortest history that leads to it. What the search leaves out: a permit
//! that outlives exactly 65 536 transitions, or a multiple of them (I27: [`wrap`]).

mod canonical;
mod cases;
mod configuration;
mod edges;
mod ends;
mod explore;
#[cfg(feature = "std")]
mod external;
mod fields;
mod inputs;
mod liveness;
mod words;
mod wrap;

use std::{collections::HashSet, panic::resume_unwind, sync::OnceLock, thread};

use canonical::CANONICAL_FORMS;
use cases::{Case, cases};
use explore::{Explored, Stats, explore};

use super::word::State;

/// I2, I3, I4, I5, I9, I10, I12, I13, I16, I17, I25.
#[test]
fn every_reachable_state_keeps_the_invariants() {
    let all_stats = for_each_case(|case, [explored, wrapped]| {
        // Where home is decides nothing: the search finds as many scenes from each. They are counted once.
        assert_eq!(explored.stats, wrapped.stats, "{}", case.name);
        assert_eq!(explored.words.len(), wrapped.words.len());
        let states: HashSet<State> = explored.words.iter().map(|word| word.state()).collect();
        assert_eq!(states.len(), 5, "{}: only {states:?}", case.name);
        for word in &explored.words {
            words::i4_every_older_generation_is_stale(*word, &case.rules);
        }
        explored.stats
    });
    for (case, stats) in &all_stats {
        println!("search: {}: {stats}", case.name);
    }
    let total = all_stats.iter().map(|(_, stats)| *stats).sum::<Stats>();
    println!(
        "search: total: {total}, from each of {} homes",
        CANONICAL_FORMS.len()
    );
    for (case, stats) in &all_stats {
        assert_explored(case, stats);
    }
}

/// Judges what was explored by the rules of each subject, from each home: all at once. It is explored once, for all
/// who judge.
fn for_each_case<R: Send>(
    judge: impl Fn(&Case, &[Explored; 2]) -> R + Sync,
) -> Vec<(&'static Case, R)> {
    static EXPLORED: OnceLock<Vec<(Case, [Explored; 2])>> = OnceLock::new();
    let explored = EXPLORED.get_or_init(|| {
        in_parallel(cases(), |case| {
            let forms = CANONICAL_FORMS.map(|form| form.with_reopens(case.reopens, &case.rules));
            let explored = forms.map(|form| explore(&case.rules, form));
            (case, explored)
        })
    });
    in_parallel(explored, |(case, explored)| (case, judge(case, explored)))
}

fn in_parallel<T: Send, R: Send>(
    all: impl IntoIterator<Item = T>,
    act: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let act = &act;
    thread::scope(|scope| {
        let threads: Vec<_> = all
            .into_iter()
            .map(|one| scope.spawn(move || act(one)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|failed| resume_unwind(failed)))
            .collect()
    })
}

/// A search that silently explores nothing proves nothing.
fn assert_explored(case: &Case, stats: &Stats) {
    let enough = stats.states >= case.least.states && stats.edges >= case.least.edges;
    assert!(enough, "{}: only {stats}", case.name);
}

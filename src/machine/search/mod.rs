//! Exhaustive search of the pure `step`: every state that a history of a breaker can reach, and
//! every input in each state (`docs/proof.md`). It covers the words of all five kinds of trips: a
//! run, a window in the word, failure rings by call and by time, time buckets.
//!
//! A state of the search is a [`Configuration`](configuration::Configuration): a word and the
//! outstanding permits. Five reductions keep their number small:
//!
//! 1. *Generations are relative.* After each step the word is brought into [canonical
//!    form](canonical): it gets a fixed generation, and the permits move with it. The age of a
//!    permit stops at [`OLDER`](configuration::OLDER), and each word is also tried with every older
//!    generation (I4).
//! 2. *Time is relative.* The canonical form also fixes the deadline or the lease end. The clock is
//!    not part of a configuration. Each input happens at every moment that could matter to its
//!    word, in any order. So the search covers every clock, including one that stops, leaps or
//!    steps back.
//! 3. *Permits are few.* At most [`MAX_PERMITS`](configuration::MAX_PERMITS) are outstanding; one
//!    more replaces the oldest.
//! 4. *Calls and buckets are relative.* The steps never read the index of the call or of the bucket
//!    that a word stores for an [external](external) window. The canonical form fixes it too.
//! 5. *Reopens are few.* They are counted up to where more make no difference. In one of the
//!    [cases] they are counted up to saturation.
//!
//! | file | checks | how often |
//! |---|---|---|
//! | [`external`] | trip or count, with the verdict of an external window | at each such edge |
//! | [`edges`] | I2, I3, I12, I13, I17, I25, the verdicts | at each edge |
//! | [`configuration`] | I5 | in each configuration |
//! | [`words`] | I4, I9, I10, I16, I17, I25, the fast path | in each distinct word |
//! | [`liveness`] | I9, I10: the way back to closed | from each distinct word, at each moment that matters |
//! | [`fields`] | I17 | at the extremes of each field |
//! | [`wrap`] | I27 | with a generation of two bits |
//!
//! A check that fails prints the shortest history that leads to it. The search leaves out a permit
//! that outlives 65 536 transitions, or a multiple of them (I27: [`wrap`]).

mod canonical;
mod cases;
mod configuration;
mod edges;
mod ends;
mod explore;
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
        // The canonical form must not matter: both searches find equally many configurations. They
        // are counted once.
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
        "search: total: {total}, in each of {} canonical forms",
        CANONICAL_FORMS.len()
    );
    for (case, stats) in &all_stats {
        assert_explored(case, stats);
    }
}

/// Applies `judge` to each case, explored in both canonical forms, in parallel. The exploration
/// runs once and is shared.
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

/// Asserts minimum coverage: a search that silently explores nothing verifies nothing.
fn assert_explored(case: &Case, stats: &Stats) {
    let enough = stats.states >= case.least.states && stats.edges >= case.least.edges;
    assert!(enough, "{}: only {stats}", case.name);
}

//! The exhaustive search of the pure `step`: every state that some history of a breaker can reach, and
//! every input in each of them (`docs/proof.md`). It covers the word of all four kinds of trips: a
//! run, a window in the word, a ring, time buckets.
//!
//! A state of the search is a [`Scene`](scene::Scene): a word and the permits that are outstanding.
//! Five things make their number small:
//!
//! 1. *Generations are relative.* After each step the word is [brought home](home): it gets the same
//!    generation again and the permits move with it. A permit of long ago stays at the age
//!    [`OLDER`](scene::OLDER), and each word is tried against every older generation there is (I4).
//! 2. *Time is relative.* The deadline or the lease end is brought home too. What the clock reads is no
//!    part of a scene: each input happens at every moment that could matter to its word, in any order.
//!    So the search covers every clock, also one that stands still, leaps or steps back.
//! 3. *Permits are few.* At most [`PERMITS`](scene::PERMITS) are outstanding; one more replaces the oldest.
//! 4. *Calls and buckets are relative.* The steps never look at the number of the call or of the bucket
//!    that a word keeps for a window [beside](beside) it, so it is brought home too.
//! 5. *Reopens are few.* They are counted up to where more make no difference, and by one of the
//!    [subjects] up to where the count saturates.
//!
//! | file | what is checked there | how often |
//! |---|---|---|
//! | [`beside`] | trip or count, where a window beside the word judges | on each such edge |
//! | [`edges`] | I2, I3, I12, I13, I17, I25, the verdicts | on each edge |
//! | [`scene`] | I5 | in each scene |
//! | [`words`] | I4, I9, I10, I16, I17, I25, the shortcuts of the shell | in each distinct word |
//! | [`liveness`] | I9, I10: the way back to closed | from each distinct word, at each moment that matters |
//! | [`fields`] | I17 | at the extremes of each field |
//! | [`wrap`] | I27 | by a generation of two bits |
//!
//! A check that fails prints the shortest history that leads to it. What the search leaves out: a permit
//! that outlives exactly 65 536 transitions, or a multiple of them (I27: [`wrap`]).

#[cfg(feature = "std")]
mod beside;
mod edges;
mod ends;
mod explore;
mod fields;
mod home;
mod inputs;
mod liveness;
mod scene;
mod subjects;
mod words;
mod wrap;

use std::{collections::HashSet, panic::resume_unwind, sync::OnceLock, thread};

use explore::{Census, Explored, explore};
use home::HOMES;
use subjects::{Subject, subjects};

use super::word::State;

/// I2, I3, I4, I5, I9, I10, I12, I13, I16, I17, I25.
#[test]
fn every_reachable_state_keeps_the_invariants() {
    let censuses = for_each_subject(|subject, [explored, wrapped]| {
        // Where home is decides nothing: the search finds as many scenes from each. They are counted once.
        assert_eq!(explored.census, wrapped.census, "{}", subject.name);
        assert_eq!(explored.words.len(), wrapped.words.len());
        let states: HashSet<State> = explored.words.iter().map(|word| word.state()).collect();
        assert_eq!(states.len(), 5, "{}: only {states:?}", subject.name);
        for word in &explored.words {
            words::i4_every_older_generation_is_stale(*word, &subject.rules);
        }
        explored.census
    });
    for (subject, census) in &censuses {
        println!("search: {}: {census}", subject.name);
    }
    let total = censuses.iter().map(|(_, census)| *census).sum::<Census>();
    println!("search: total: {total}, from each of {} homes", HOMES.len());
    for (subject, census) in &censuses {
        assert_explored(subject, census);
    }
}

/// Judges what was explored by the rules of each subject, from each home: all at once. It is explored once, for all
/// who judge.
fn for_each_subject<R: Send>(
    judge: impl Fn(&Subject, &[Explored; 2]) -> R + Sync,
) -> Vec<(&'static Subject, R)> {
    static EXPLORED: OnceLock<Vec<(Subject, [Explored; 2])>> = OnceLock::new();
    let explored = EXPLORED.get_or_init(|| {
        in_parallel(subjects(), |subject| {
            let homes = HOMES.map(|home| home.with_reopens(subject.reopens, &subject.rules));
            let explored = homes.map(|home| explore(&subject.rules, home));
            (subject, explored)
        })
    });
    in_parallel(explored, |(subject, explored)| {
        (subject, judge(subject, explored))
    })
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
fn assert_explored(subject: &Subject, census: &Census) {
    let enough = census.states >= subject.least.states && census.edges >= subject.least.edges;
    assert!(enough, "{}: only {census}", subject.name);
}

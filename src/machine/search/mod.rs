//! The exhaustive search of the pure `step`: every state that some history of a breaker can reach, and
//! every input in each of them (`PROOF.md`, layer 1).
//!
//! A state of the search is a [`Scene`](scene::Scene): a word and the permits that are outstanding.
//! Four things make their number small:
//!
//! 1. *Generations are relative.* After each step the word is [brought home](home): it gets the same
//!    generation again and the permits move with it. A permit of long ago stays at the age
//!    [`OLDER`](scene::OLDER), and each word is tried against every older generation there is (I4).
//! 2. *Time is relative.* The deadline or the lease end is brought home too. What the clock reads is no
//!    part of a scene: each input happens at every moment that could matter to its word, in any order.
//!    So the search covers every clock, also one that stands still, leaps or steps back.
//! 3. *Permits are few.* At most [`PERMITS`](scene::PERMITS) are outstanding; one more replaces the oldest.
//! 4. *Reopens are few.* They are counted up to where more make no difference, and by one of the
//!    [subjects] up to where the count saturates.
//!
//! | file | what is checked there | how often |
//! |---|---|---|
//! | [`edges`] | I2, I3, I12, I13, I17, I25, the verdicts | on each edge |
//! | [`scene`] | I5 | in each scene |
//! | [`words`] | I4, I9, I10, I16, I17, I25, the shortcuts of the shell, the way back to closed | in each distinct word |
//! | [`fields`] | I17 | at the extremes of each field |
//!
//! A check that fails prints the shortest history that leads to it. What the search leaves out: a permit
//! that outlives exactly 65 536 transitions, or a multiple of them (I27).

mod edges;
mod explore;
mod fields;
mod home;
mod inputs;
mod scene;
mod subjects;
mod words;

use std::{collections::HashSet, panic::resume_unwind, thread};

use explore::{Census, explore};
use home::HOMES;
use subjects::{Subject, subjects};

use super::word::State;

/// I2, I3, I4, I5, I9, I10, I12, I13, I16, I17, I25.
#[test]
fn every_reachable_state_keeps_the_invariants() {
    let subjects = subjects();
    let censuses: Vec<Census> = thread::scope(|scope| {
        let searches: Vec<_> = subjects
            .iter()
            .map(|subject| scope.spawn(|| explore_from_each_home(subject)))
            .collect();
        searches
            .into_iter()
            .map(|search| search.join().unwrap_or_else(|failed| resume_unwind(failed)))
            .collect()
    });
    for (subject, census) in subjects.iter().zip(&censuses) {
        println!("search: {}: {census}", subject.name);
    }
    let total = censuses.iter().copied().sum::<Census>();
    println!("search: total: {total}, from each of {} homes", HOMES.len());
    for (subject, census) in subjects.iter().zip(&censuses) {
        assert_explored(subject, census);
    }
}

/// Where home is decides nothing: the search finds as many scenes from each. They are counted once.
fn explore_from_each_home(subject: &Subject) -> Census {
    let rules = &subject.rules;
    let [explored, wrapped] =
        HOMES.map(|home| explore(rules, home.with_reopens(subject.reopens, rules)));
    assert_eq!(explored.census, wrapped.census, "{}", subject.name);
    assert_eq!(explored.words.len(), wrapped.words.len());
    let states: HashSet<State> = explored.words.iter().map(|word| word.state()).collect();
    assert_eq!(states.len(), 5, "{}: only {states:?}", subject.name);
    for word in explored.words {
        words::i4_every_older_generation_is_stale(word, rules);
    }
    explored.census
}

/// A search that silently explores nothing proves nothing.
fn assert_explored(subject: &Subject, census: &Census) {
    let enough = census.states >= subject.least.states && census.edges >= subject.least.edges;
    assert!(enough, "{}: only {census}", subject.name);
}

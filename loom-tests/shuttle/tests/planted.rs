//! The history checker finds planted bugs, and finds nothing in the same breaker without a bug.

use shuttle_tests::{
    Mode::{Pct, Random},
    play_planted,
};

#[test]
#[should_panic(expected = "no order of single steps explains this history")]
fn without_the_generation_check_pct_finds_a_history_without_an_order() {
    play_planted("no generation check", Pct);
}

#[test]
#[should_panic(expected = "no order of single steps explains this history")]
fn without_the_generation_check_random_finds_a_history_without_an_order() {
    play_planted("no generation check", Random);
}

#[test]
#[should_panic(expected = "no order of single steps explains this history")]
fn where_the_loser_of_a_cas_is_admitted_pct_finds_a_history_without_an_order() {
    play_planted("winner and loser both admitted", Pct);
}

#[test]
#[should_panic(expected = "no order of single steps explains this history")]
fn where_the_loser_of_a_cas_is_admitted_random_finds_a_history_without_an_order() {
    play_planted("winner and loser both admitted", Random);
}

#[test]
fn the_same_breaker_with_nothing_planted_has_one() {
    play_planted("no bug", Pct);
    play_planted("no bug", Random);
}

/// Bugs that fail more than one assertion of their model, with the one that loom does not meet
/// first.
const OTHERWISE: &[(&str, &str)] = &[
    (
        "listeners are notified right after the CAS, in no order",
        "not in order",
    ),
    ("more than one dispatcher at a time", "not in order"),
    (
        "the index is advanced before the entry is written: a reader in between finds a gap",
        "miscounted",
    ),
    (
        "the word is not loaded again after the entry was read",
        "no lost trip",
    ),
    (
        "the stamp is looked up after the second load of the word: an entry is corrected by a later lap",
        "no lost trip",
    ),
    ("buckets are not tagged with their period", "I4"),
];

/// The bugs that weaken an ordering (`bugs/patched/orderings.rs`) are in `loom-tests` alone.
#[test]
fn every_bug_but_a_weak_ordering_is_found_by_its_model() {
    shuttle_tests::silence();
    let mut found = 0;
    for bug in shuttle_tests::bugs() {
        if let Err(why) = bug.run() {
            let other = OTHERWISE.iter().find(|(what, _)| *what == bug.what);
            let is_found = why.contains("not an outcome")
                || other.is_some_and(|(_, message)| why.contains(message));
            assert!(is_found, "{}: {why}", bug.what);
        }
        found += 1;
    }
    println!("bugs: {found} found under shuttle, all but those that weaken an ordering");
}

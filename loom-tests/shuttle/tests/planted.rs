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

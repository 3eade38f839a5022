//! The history checker finds planted bugs, and it is the bugs that it finds.

#[test]
#[should_panic(expected = "no order of single steps explains this history")]
fn without_the_generation_check_a_history_has_no_order() {
    loom_tests::check_planted("no generation check");
}

#[test]
#[should_panic(expected = "no order of single steps explains this history")]
fn where_the_loser_of_a_cas_is_admitted_a_history_has_no_order() {
    loom_tests::check_planted("winner and loser both admitted");
}

#[test]
fn the_same_breaker_with_nothing_planted_has_one() {
    loom_tests::check_planted("no bug");
}

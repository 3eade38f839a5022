//! Histories of twelve threads: one order of the pure steps explains their requests and answers
//! (I24).

use shuttle_tests::{
    Scheduler::{Pct, Random},
    check,
};

#[test]
fn runs_of_failures_have_an_order() {
    check("consecutive", Pct);
    check("consecutive", Random);
}

#[test]
fn failures_of_the_last_calls_have_an_order() {
    check("of-last", Pct);
    check("of-last", Random);
}

#[test]
fn a_share_of_the_last_calls_has_an_order() {
    check("percent", Pct);
    check("percent", Random);
}

#[test]
fn two_probes_and_a_run_beside_a_window_have_an_order() {
    check("two-probes", Pct);
    check("two-probes", Random);
}

//! Histories of twelve threads: one order of the pure steps explains their requests and
//! responses (I24).

use shuttle_tests::{
    Mode::{Pct, Random},
    play,
};

#[test]
fn runs_of_failures_have_an_order() {
    play("consecutive", Pct);
    play("consecutive", Random);
}

#[test]
fn failures_of_the_last_calls_have_an_order() {
    play("of-last", Pct);
    play("of-last", Random);
}

#[test]
fn a_failure_rate_of_the_last_calls_has_an_order() {
    play("percent", Pct);
    play("percent", Random);
}

#[test]
fn two_probes_and_a_run_with_a_window_have_an_order() {
    play("two-probes", Pct);
    play("two-probes", Random);
}

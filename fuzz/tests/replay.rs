//! Replays every seed and every input of the corpus, on any toolchain.
//!
//! `cargo test -p fuzz -- --nocapture` prints the number of inputs that reached each event. The set
//! of events is asserted: a change of the input format, which would devalue the corpus, is noticed.

use std::{
    any::Any,
    collections::BTreeMap,
    fs, io,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use fuzz::{TARGETS, Target, against_oracle};

/// Returns the files of a target in `seeds` or `corpus`.
fn files(kind: &str, target: &Target) -> io::Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(kind)
        .join(target.name);
    let mut files = fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    files.sort();
    assert!(!files.is_empty(), "no inputs in {}", folder.display());
    Ok(files)
}

/// The number of inputs that reached each event.
type Counts = BTreeMap<String, usize>;

fn replay(target: &Target, all: &[&str]) -> io::Result<()> {
    let mut counts = Counts::new();
    let (mut inputs, mut steps) = (0, 0);
    for kind in ["seeds", "corpus"] {
        for path in files(kind, target)? {
            let bytes = fs::read(&path)?;
            let reached = catch_unwind(|| (target.play)(&bytes)).unwrap_or_else(|thrown| {
                let path = path.display();
                let said = said(thrown.as_ref());
                let show = format!("cargo run -p fuzz --bin {} -- {path}", target.name);
                panic!("{path} shows a defect: {said}\nto see it: {show}");
            });
            for what in reached {
                *counts.entry(what).or_default() += 1;
            }
            inputs += 1;
            if target.name == "against_oracle" {
                steps += against_oracle::steps(&bytes);
            }
        }
    }
    println!("fuzz: {} replayed {inputs} inputs", target.name);
    if steps > 0 {
        println!("fuzz:   of {steps} steps");
    }
    for (what, count) in &counts {
        println!("fuzz:   {count:4} {what}");
    }
    let reached: Vec<&str> = counts.keys().map(String::as_str).collect();
    assert_eq!(reached, all, "what comes up in the inputs");
    Ok(())
}

fn said(thrown: &(dyn Any + Send)) -> &str {
    let text = thrown.downcast_ref::<String>().map(String::as_str);
    text.or(thrown.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message")
}

fn target(name: &str) -> &'static Target {
    let target = TARGETS.iter().find(|target| target.name == name);
    target.expect("a target of this name")
}

#[test]
fn the_breaker_does_what_the_oracle_does() -> io::Result<()> {
    replay(target("against_oracle"), &against_oracle::expected())
}

#[test]
fn a_policy_is_accepted_within_its_bounds_only() -> io::Result<()> {
    replay(
        target("policy"),
        &[
            "Json read",
            "Json refused",
            "Toml read",
            "Toml refused",
            "accepted",
            "refused base",
            "refused cap",
            "refused consecutive",
            "refused factor",
            "refused failures",
            "refused jitter",
            "refused min_calls",
            "refused of_last",
            "refused on_drop",
            "refused open_for",
            "refused percent",
            "refused probe_lease",
            "refused probe_successes",
            "refused probes",
            "refused slow_call",
            "refused trip",
            "refused within",
        ],
    )
}

#[test]
fn a_word_is_what_its_parts_make() -> io::Result<()> {
    replay(
        target("word"),
        &[
            "closed",
            "disabled",
            "disabled, can't arise",
            "forced-open",
            "forced-open, can't arise",
            "half-open",
            "half-open, can't arise",
            "open",
        ],
    )
}

/// Each seed must reach the events that it is written for.
#[test]
fn each_game_among_the_seeds_comes_to_what_it_is_named_for() -> io::Result<()> {
    let oracle = target("against_oracle");
    let games = files("seeds", oracle)?;
    let names: Vec<&str> = games
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .collect();
    assert_eq!(names, SITUATIONS.map(|(name, _)| name));
    for (path, (name, expected)) in games.iter().zip(SITUATIONS) {
        let reached = (oracle.play)(&fs::read(path)?);
        for what in expected.split(", ") {
            assert!(reached.contains(what), "{what} in {name}: {reached:?}");
        }
    }
    Ok(())
}

/// The seeds, each with the events that it must reach.
const SITUATIONS: [(&str, &str); 37] = [
    (
        "a_call_that_was_held_too_long_fails_when_dropped",
        "Unrecorded, Tripped",
    ),
    (
        "a_failure_on_a_clock_that_stepped_back_is_as_new_as_the_newest",
        "Applied, Tripped",
    ),
    (
        "a_hint_keeps_it_open_for_longer",
        "Reopened, Open, Recovered",
    ),
    (
        "a_late_failure_fails_no_probe",
        "Stale, ProbesBusy, Recovered",
    ),
    (
        "a_late_failure_of_an_earlier_closed_period_trips_nothing",
        "Stale, Recovered",
    ),
    (
        "a_late_failure_of_an_earlier_probe_fails_no_other",
        "Stale, Reopened, Recovered",
    ),
    ("a_late_success_recovers_nothing", "Stale, Recovered"),
    ("a_leaked_probe_costs_one_lease", "LeaseExpired, Recovered"),
    ("a_leap_on_ends_the_interval", "ProbeAdmitted, LeaseExpired"),
    (
        "a_permit_outlives_a_wrap_of_the_generation",
        "Stale, Reopened",
    ),
    ("a_probe_that_is_dropped_fails", "ProbeFailed"),
    (
        "a_rate_forgets_a_tenth_at_a_time",
        "calls left the window, Tripped",
    ),
    (
        "a_ring_goes_round_and_the_run_of_its_trip_trips",
        "calls left the window, Tripped",
    ),
    (
        "a_ring_of_failures_forgets_the_oldest_call",
        "calls left the window, Tripped",
    ),
    (
        "a_slow_success_is_a_failure",
        "Applied, Tripped, Reopened, Recovered",
    ),
    (
        "a_step_back_costs_one_interval",
        "Open, ProbeAdmitted, ProbesBusy",
    ),
    (
        "a_step_back_within_the_slack_admits_no_call",
        "Open, ProbeAdmitted",
    ),
    (
        "a_success_after_recovery_starts_an_empty_window",
        "Recovered, Tripped",
    ),
    (
        "a_total_outage_trips_the_default_on_the_fifth_call",
        "Tripped, Open",
    ),
    (
        "an_explicit_lease_of_two_probes_is_renewed",
        "ProbesBusy, Recovered",
    ),
    (
        "an_ignored_probe_gives_its_slot_back",
        "Unrecorded, ProbesBusy, Recovered",
    ),
    ("an_operator_opens_it_for_a_time", "Operator, Open, Stale"),
    ("disabled_records_nothing", "Operator, Unrecorded, Stale"),
    (
        "drops_that_are_ignored_give_slots_back",
        "Unrecorded, Recovered",
    ),
    (
        "exactly_at_the_deadline_a_call_is_admitted",
        "Open, ProbeAdmitted, Recovered",
    ),
    (
        "failures_within_a_time_are_too_old_at_its_end",
        "calls left the window, Tripped",
    ),
    (
        "forced_open_outlasts_time_and_late_outcomes",
        "ForcedOpen, Stale, Recovered",
    ),
    (
        "half_an_outage_trips_the_default_within_twenty",
        "Applied, Tripped",
    ),
    ("panics_are_failures", "Tripped, Reopened, Recovered"),
    ("reopens_saturate", "Reopened, Recovered"),
    (
        "successes_beyond_the_first_of_a_bucket_seldom_read_the_clock",
        "Applied, Tripped, Recovered",
    ),
    ("the_clock_wraps_while_it_is_open", "Open, Recovered"),
    ("the_deadline_wraps", "Open, Recovered"),
    ("the_end_of_the_lease_wraps", "ProbesBusy, LeaseExpired"),
    (
        "the_longest_window_counts_to_its_end",
        "Tripped, calls left the window",
    ),
    ("the_stamps_of_failures_wrap", "Tripped, Recovered"),
    (
        "three_probes_fly_and_two_must_succeed",
        "ProbesBusy, Recovered, Stale",
    ),
];

//! Policies in configuration files: durations such as "15s", defaults for omitted keys, and errors
//! that name what is wrong and where.

use std::{error::Error, sync::Arc, time::Duration};

use cutout::{Backoff, Breaker, OnDrop, Policy, State, Trip, clock::Manual};
use proptest::prelude::*;

use super::any_policy::any_policy;

use crate::support::SECOND;

const NEW: Policy = Policy::new();

fn from_toml(text: &str) -> Policy {
    toml::from_str(text).unwrap()
}

fn refusal(text: &str) -> String {
    toml::from_str::<Policy>(text).unwrap_err().to_string()
}

#[test]
fn an_empty_file_is_the_default_policy() {
    assert_eq!(from_toml(""), NEW);
    assert_eq!(serde_json::from_str::<Policy>("{}").unwrap(), NEW);
}

#[test]
fn a_file_sets_every_field() {
    let policy = from_toml(
        r#"
        probes = 2
        probe_successes = 3
        probe_lease = "1m 30s"
        slow_call = "1500ms"
        on_drop = { failure-after = "2s" }

        [trip]
        consecutive = 5
        percent = 50
        min_calls = 10
        of_last = 40

        [backoff]
        base = "1s"
        factor = 2
        cap = "1m"
        jitter = 20
        seed = 7
        "#,
    );
    let window = Trip::percent(50).min_calls(10).of_last(40);
    let backoff = Backoff::exponential(SECOND, 2, 60 * SECOND);
    let expected = NEW
        .probes(2)
        .probe_successes(3)
        .probe_lease(90 * SECOND)
        .slow_call(Duration::from_millis(1_500))
        .on_drop(OnDrop::FailureAfter(2 * SECOND))
        .trip(Trip::consecutive(5).or(window))
        .backoff(backoff.jitter(20).seed(7));
    assert_eq!(policy, expected);
}

#[test]
fn omitted_keys_have_their_default() {
    assert_eq!(from_toml("open_for = '15s'"), NEW.open_for(15 * SECOND));
    assert_eq!(
        from_toml("trip = { consecutive = 3 }"),
        NEW.trip(Trip::consecutive(3)),
    );
    assert_eq!(
        from_toml("trip = { failures = 3, of_last = 9 }"),
        NEW.trip(Trip::failures(3).of_last(9)),
    );
    assert_eq!(
        from_toml("trip = { percent = 50, of_last = 9 }"),
        NEW.trip(Trip::percent(50).min_calls(9).of_last(9)),
    );
    assert_eq!(
        from_toml("trip = { percent = 50, within = '1m' }"),
        NEW.trip(Trip::percent(50).min_calls(20).within(60 * SECOND)),
    );
    assert_eq!(
        from_toml("trip = { failures = 3, within = '365days', consecutive = 65535 }"),
        NEW.trip(
            Trip::failures(3)
                .within(Duration::from_hours(365 * 24))
                .or(Trip::consecutive(65_535))
        ),
    );
    assert_eq!(
        from_toml("backoff = { base = '1s', factor = 1, cap = '1s' }"),
        NEW.backoff(Backoff::constant(SECOND)),
    );
}

#[test]
fn each_meaning_of_a_drop_has_its_name() {
    for (text, on_drop) in [
        ("'fail-probe'", OnDrop::FailProbe),
        ("'ignore'", OnDrop::Ignore),
        ("'failure'", OnDrop::Failure),
        ("{ failure-after = '2s' }", OnDrop::FailureAfter(2 * SECOND)),
    ] {
        let policy = from_toml(&format!("on_drop = {text}"));
        assert_eq!(policy, NEW.on_drop(on_drop));
    }
}

#[test]
fn a_policy_is_a_part_of_a_bigger_file() {
    #[derive(serde::Deserialize)]
    struct Config {
        url: String,
        breaker: Policy,
    }

    let config: Config = toml::from_str(
        "
        url = 'https://dependency.example'
        [breaker]
        open_for = '15s'
        ",
    )
    .unwrap();
    assert_eq!(config.url, "https://dependency.example");
    let breaker = Breaker::builder().policy(config.breaker).try_build();
    assert_eq!(breaker.unwrap().policy(), NEW.open_for(15 * SECOND));
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let error_text = refusal("probes = 1\nprobe_succeses = 2\n");
    assert!(error_text.contains("line 2"), "{error_text}");
    assert!(
        error_text.contains("unknown field `probe_succeses`"),
        "{error_text}"
    );

    let error_text = refusal("probes = 1\n\n[trip]\nconsecutive = 3\nof_lats = 9\n");
    assert!(error_text.contains("line 5"), "{error_text}");
    assert!(
        error_text.contains("unknown field `of_lats`"),
        "{error_text}"
    );

    let error_text = refusal("[backoff]\nbase = '1s'\nfactor = 2\ncap = '9s'\nseeds = 9\n");
    assert!(error_text.contains("line 5"), "{error_text}");
    assert!(error_text.contains("unknown field `seeds`"), "{error_text}");

    let json = serde_json::from_str::<Policy>("{\n\"probe\": 1}").unwrap_err();
    assert_eq!(json.line(), 2);
    assert!(json.to_string().contains("unknown field `probe`"), "{json}");
}

#[test]
fn values_out_of_bounds_are_refused_with_field_value_and_bound() {
    for (text, message) in [
        ("probes = 0", "probes must be 1 to 63, got 0"),
        ("open_for = '5ms'", "open_for must be 10ms to 30d, got 5ms"),
        (
            "open_for = '10ms 500us'",
            "open_for must be whole milliseconds, got 10500us",
        ),
        (
            "probe_lease = '2days'",
            "probe_lease must be 10ms to 1d, got 2d",
        ),
        (
            "on_drop = { failure-after = '0s' }",
            "on_drop must be 1ms to 1d (the probe_lease), got 0ms",
        ),
        (
            "trip = { failures = 30, of_last = 20 }",
            "failures must be 1 to 20, got 30",
        ),
        (
            "trip = { failures = 3, of_last = 4097 }",
            "of_last must be 1 to 4096, got 4097",
        ),
        (
            "trip = { failures = 1025, within = '1m' }",
            "failures must be 1 to 1024, got 1025",
        ),
        (
            "trip = { failures = 3, within = '9ms' }",
            "within must be 10ms to 365d, got 9ms",
        ),
        (
            "trip = { failures = 3, within = '1s 1us' }",
            "within must be whole milliseconds, got 1000001us",
        ),
        (
            "trip = { percent = 50, within = '2days' }",
            "within must be 100ms to 1d, got 2d",
        ),
        (
            "trip = { percent = 50, min_calls = 1000001, within = '1m' }",
            "min_calls must be 1 to 1000000, got 1000001",
        ),
        (
            "trip = {}",
            "trip must be consecutive, a window, or one of each, got neither",
        ),
        (
            "backoff = { base = '2s', factor = 2, cap = '1s' }",
            "cap must be 2s to 30d, got 1s",
        ),
        (
            "backoff = { base = '5ms', factor = 1, cap = '5ms' }",
            "base must be 10ms to 30d, got 5ms",
        ),
    ] {
        let error_text = refusal(text);
        assert!(error_text.contains(message), "{text}: {error_text}");
    }
}

#[test]
fn mutually_exclusive_keys_are_refused() {
    for (text, message) in [
        (
            "open_for = '1s'\nbackoff = { base = '1s', factor = 2, cap = '9s' }",
            "open_for and backoff exclude each other, got both",
        ),
        (
            "trip = { failures = 3, percent = 50, of_last = 9 }",
            "a window is failures or percent, of_last or within: one of each",
        ),
        (
            "trip = { failures = 3, of_last = 9, within = '1m' }",
            "a window is failures or percent, of_last or within: one of each",
        ),
        (
            "trip = { percent = 50, of_last = 9, within = '1m' }",
            "a window is failures or percent, of_last or within: one of each",
        ),
        (
            "trip = { failures = 3 }",
            "a window is failures or percent, of_last or within: one of each",
        ),
        (
            "trip = { consecutive = 3, of_last = 9 }",
            "a window is failures or percent, of_last or within: one of each",
        ),
        (
            "trip = { failures = 3, of_last = 9, min_calls = 5 }",
            "min_calls belongs to percent, which is not given",
        ),
        (
            "trip = { consecutive = 3, min_calls = 5 }",
            "min_calls belongs to percent, which is not given",
        ),
    ] {
        let error_text = refusal(text);
        assert!(error_text.contains(message), "{text}: {error_text}");
    }
}

#[derive(Debug, serde::Deserialize)]
struct Nested {
    #[expect(dead_code, reason = "never constructed")]
    breaker: Policy,
}

#[derive(Debug, serde::Deserialize)]
struct Flat {
    url: String,
    #[serde(flatten)]
    retries: Retries,
    #[serde(flatten)]
    policy: Policy,
}

#[derive(Debug, serde::Deserialize)]
struct Retries {
    attempts: u32,
}

#[test]
fn an_error_in_a_larger_file_is_refused_at_its_own_line() {
    // Of two keys that exclude each other, either may be named: a table has no order.
    for (lines, text) in [
        (4..=4, "[breaker]\nprobes = 0"),
        (4..=5, "[breaker]\nprobe_lease = '1s'\nslow_call = '2s'"),
        (5..=5, "[breaker]\nprobes = 2\nopen_for = '5ms'"),
        (
            4..=5,
            "[breaker]\nopen_for = '1s'\nbackoff = { base = '1s', factor = 2, cap = '9s' }",
        ),
        (4..=4, "[breaker]\non_drop = { failure-after = '0s' }"),
        (5..=5, "[breaker.trip]\nfailures = 3\nof_last = 4097"),
        (4..=5, "[breaker.trip]\nfailures = 30\nof_last = 20"),
        (4..=4, "[breaker.trip]\nconsecutive = 65536"),
        (
            4..=6,
            "[breaker.trip]\nof_last = 9\nwithin = '1s'\nfailures = 3",
        ),
        (3..=3, "[breaker.trip]\nfailures = 3"),
        (
            4..=4,
            "[breaker.backoff]\nbase = '5ms'\nfactor = 2\ncap = '9s'",
        ),
        (
            5..=5,
            "[breaker.backoff]\nbase = '1s'\nfactor = 101\ncap = '9s'",
        ),
        (
            4..=6,
            "[breaker.backoff]\nbase = '2s'\nfactor = 2\ncap = '1s'",
        ),
        (3..=3, "[breaker.backoff]\nbase = '2s'\nfactor = 2"),
    ] {
        let text = format!("name = 'x'\n\n{text}\n");
        let error = toml::from_str::<Nested>(&text).unwrap_err();
        let line = text[..error.span().unwrap().start].split('\n').count();
        let error_text = error.to_string();
        assert!(lines.contains(&line), "{error_text}");
        assert!(
            error_text.contains(&format!("line {line},")),
            "{error_text}"
        );
    }
    for text in ["open_for = 15", "open_for = '15 parsecs'", "probes = -1"] {
        let text = format!("probe_successes = 1\n{text}\n");
        assert!(refusal(&text).contains("line 2"), "{}", refusal(&text));
    }
    let json = "{\n\"breaker\": {\n\"probes\": 0 }\n}";
    let error = serde_json::from_str::<Nested>(json).unwrap_err();
    assert_eq!(error.line(), 3, "{error}");
}

#[test]
fn only_a_map_is_a_policy() {
    for (text, expected) in [
        ("[]", r#"in JSON {"open_for": "15s"}"#),
        ("[{\"consecutive\": 5}]", r#"in JSON {"open_for": "15s"}"#),
        ("5", r#"in JSON {"open_for": "15s"}"#),
        ("null", r#"in JSON {"open_for": "15s"}"#),
        (r#"{"trip": [1]}"#, r#"in JSON {"consecutive": 5}"#),
        (r#"{"trip": 5}"#, r#"in JSON {"consecutive": 5}"#),
        (
            r#"{"backoff": ["1s", 2, "9s"]}"#,
            r#"in JSON {"base": "5s", "factor": 2, "cap": "1m"}"#,
        ),
        (
            r#"{"on_drop": ["ignore"]}"#,
            r#"in JSON {"failure-after": "2s"}"#,
        ),
        (r#"{"on_drop": 2}"#, r#""fail-probe", "ignore", "failure""#),
        (r#"{"on_drop": {}}"#, r#"in JSON {"failure-after": "2s"}"#),
        (
            r#"{"on_drop": "fail"}"#,
            "`fail-probe`, `ignore`, `failure`",
        ),
        (r#"{"on_drop": {"after": "2s"}}"#, "`failure-after`"),
    ] {
        let error_text = serde_json::from_str::<Policy>(text)
            .unwrap_err()
            .to_string();
        assert!(error_text.contains(expected), "{text}: {error_text}");
    }
}

#[test]
fn a_value_of_another_kind_is_refused_with_an_example() {
    for (text, expected) in [
        ("open_for = 15", "a duration such as \"15s\""),
        ("open_for = '15 parsecs'", "a duration such as \"15s\""),
        ("open_for = ''", "a duration such as \"15s\""),
        ("slow_call = 1.5", "a duration such as \"15s\""),
        (
            "trip = { failures = 3, within = 10 }",
            "a duration such as \"15s\"",
        ),
        (
            "on_drop = { failure-after = 2 }",
            "a duration such as \"15s\"",
        ),
        ("probes = -1", "a whole number such as 3"),
        ("probes = 1.0", "a whole number such as 3"),
        ("probes = '1'", "a whole number such as 3"),
        ("probes = 4294967297", "a whole number such as 3"),
        ("trip = 5", "in TOML { consecutive = 5 }"),
        ("trip = { consecutive = '5' }", "a whole number such as 3"),
        (
            "backoff = '5s'",
            "in TOML { base = \"5s\", factor = 2, cap = \"1m\" }",
        ),
        (
            "backoff = { base = '5s', cap = '1m' }",
            "missing field `factor`",
        ),
        ("on_drop = 2", "in TOML { failure-after = \"2s\" }"),
    ] {
        let error_text = refusal(text);
        assert!(error_text.contains(expected), "{text}: {error_text}");
        for private in ["File", "struct ", "enum "] {
            assert!(!error_text.contains(private), "{text}: {error_text}");
        }
    }
}

#[test]
fn duplicate_keys_are_refused() {
    for (text, key) in [
        (r#"{"probes": 1, "probes": 2}"#, "probes"),
        (
            r#"{"trip": {"consecutive": 1, "consecutive": 2}}"#,
            "consecutive",
        ),
        (
            r#"{"on_drop": {"failure-after": "1s", "failure-after": "2s"}}"#,
            "failure-after",
        ),
    ] {
        let error_text = serde_json::from_str::<Policy>(text)
            .unwrap_err()
            .to_string();
        assert!(
            error_text.contains(&format!("duplicate field `{key}`")),
            "{error_text}"
        );
    }
}

#[test]
fn optional_keys_may_be_null() {
    let text = r#"{
        "trip": { "consecutive": 3, "failures": null, "percent": null, "min_calls": null,
                  "of_last": null, "within": null },
        "open_for": null,
        "backoff": { "base": "1s", "factor": 2, "cap": "9s", "seed": null },
        "probe_lease": null,
        "slow_call": null,
        "on_drop": null
    }"#;
    let backoff = Backoff::exponential(SECOND, 2, 9 * SECOND);
    assert_eq!(
        serde_json::from_str::<Policy>(text).unwrap(),
        NEW.trip(Trip::consecutive(3)).backoff(backoff),
    );
}

#[test]
fn a_flattened_policy_refuses_a_key_that_it_does_not_know() {
    let flat: Flat = toml::from_str("url = 'x'\nattempts = 2\nopen_for = '15s'").unwrap();
    assert_eq!((flat.url.as_str(), flat.retries.attempts), ("x", 2));
    assert_eq!(flat.policy, NEW.open_for(15 * SECOND));

    let error_text =
        toml::from_str::<Flat>("url = 'x'\nattempts = 2\nopen_fro = '15s'").unwrap_err();
    assert!(
        error_text.to_string().contains("unknown field `open_fro`"),
        "{error_text}"
    );
    let json = r#"{"url": "x", "attempts": 2, "probs": 2}"#;
    let error_text = serde_json::from_str::<Flat>(json).unwrap_err();
    assert!(
        error_text.to_string().contains("unknown field `probs`"),
        "{error_text}"
    );
}

#[test]
fn durations_are_written_as_people_write_them() {
    let text = toml::to_string(&NEW.open_for(15 * SECOND)).unwrap();
    assert!(text.contains("open_for = \"15s\""), "{text}");
    assert!(!text.contains("probe_lease"), "defaults are omitted");
    let text = serde_json::to_string(&NEW).unwrap();
    assert!(text.contains(r#""base":"5s""#), "{text}");
    assert!(text.contains(r#""cap":"1m""#), "{text}");
}

#[test]
fn a_state_is_written_in_kebab_case() {
    for (state, text) in [
        (State::Closed, "closed"),
        (State::Open, "open"),
        (State::HalfOpen, "half-open"),
        (State::ForcedOpen, "forced-open"),
        (State::Disabled, "disabled"),
    ] {
        assert_eq!(serde_json::to_value(state).unwrap(), text);
        assert_eq!(state.to_string(), text);
    }
}

#[test]
fn a_snapshot_is_written_as_json() -> Result<(), Box<dyn Error>> {
    let clock = Arc::new(Manual::at(1_000_000));
    let breaker = Breaker::builder()
        .trip(Trip::consecutive(1))
        .open_for(15 * SECOND)
        .name("dependency")
        .build()
        .with_shared_clock(clock.clone());
    let fresh = serde_json::to_value(breaker.snapshot())?;
    assert_eq!(fresh["state"], "closed");
    assert_eq!(fresh["retry_after"], serde_json::Value::Null);

    breaker.call(|| Err::<(), _>("down")).unwrap_err();
    clock.advance(SECOND);
    let tripped = serde_json::to_value(breaker.snapshot())?;
    assert_eq!(
        tripped,
        serde_json::json!({
            "name": "dependency",
            "state": "open",
            "stored_state": "open",
            "generation": 1,
            "failures": 1,
            "calls": 1,
            "reopens": 0,
            "probes_in_flight": 0,
            "retry_after": "14s",
            "since": "1s",
        })
    );
    Ok(())
}

proptest! {
    #[test]
    fn any_policy_comes_back_from_json_as_it_was(policy in any_policy()) {
        let text = serde_json::to_string(&policy).unwrap();
        prop_assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy, "{}", text);
    }

    #[test]
    fn any_policy_comes_back_from_toml_as_it_was(policy in any_policy()) {
        let text = toml::to_string(&policy).map_err(|error| {
            TestCaseError::fail(format!("{error}: {policy:?}"))
        })?;
        prop_assert_eq!(toml::from_str::<Policy>(&text).unwrap(), policy, "{}", text);
    }
}

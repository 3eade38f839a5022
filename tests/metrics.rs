//! Metrics of breakers, as a real Prometheus exporter shows them.
#![cfg(feature = "metrics")]

mod support;

use std::{
    collections::BTreeMap,
    net::TcpListener,
    sync::{Arc, Barrier, Once, Weak},
    thread,
};

use cutout::{
    Breaker, Outcome, Recorded, State, Transition, Trip,
    clock::Manual,
    metrics::{Metrics, describe, publish},
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use support::SECOND;

const DEPENDENCY: cutout::Builder = Breaker::builder()
    .name("dependency")
    .trip(Trip::consecutive(1))
    .open_for(SECOND);

/// Runs `test` with an exporter of its own.
fn exported(test: impl FnOnce(&PrometheusHandle)) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || test(&handle));
}

/// The samples of a scrape, keyed by the text before their value.
fn samples(scrape: &str) -> BTreeMap<&str, &str> {
    let lines = scrape
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap()).collect()
}

/// Number of breakers of this name in each state, without zero entries.
fn counted(scrape: &str, name: &str) -> Vec<(String, i64)> {
    let head =
        format!("circuit_breaker_count{{circuit_breaker_name=\"{name}\",circuit_breaker_state=\"");
    samples(scrape)
        .iter()
        .filter_map(|(series, value)| {
            let state = series.strip_prefix(&head)?.strip_suffix("\"}")?;
            let value: i64 = value.parse().unwrap();
            (value != 0).then(|| (state.to_owned(), value))
        })
        .collect()
}

fn only(state: State, many: i64) -> Vec<(String, i64)> {
    vec![(state.to_string(), many)]
}

fn fail(breaker: &Breaker) -> Recorded {
    breaker.try_acquire().unwrap().record(Outcome::Failure)
}

#[test]
fn the_state_is_right_after_every_change_until_the_breaker_is_dropped() {
    exported(|handle| {
        let clock = Arc::new(Manual::new());
        let breaker = DEPENDENCY.build().with_shared_clock(clock.clone());
        let breaker = Metrics::new().on(breaker);
        let is = |state| assert_eq!(counted(&handle.render(), "dependency"), only(state, 1));
        is(State::Closed);
        fail(&breaker);
        is(State::Open);
        clock.advance(SECOND);
        is(State::Open);
        let probe = breaker.try_acquire().unwrap();
        is(State::HalfOpen);
        probe.success();
        is(State::Closed);
        breaker.force_open();
        is(State::ForcedOpen);
        breaker.disable();
        is(State::Disabled);
        breaker.reset();
        breaker.reset();
        is(State::Closed);
        breaker.force_open();
        drop(breaker);
        assert_eq!(counted(&handle.render(), "dependency"), []);
        assert_eq!(
            samples(&handle.render())
                .values()
                .filter(|value| **value == "0")
                .count(),
            5 + 2 + 3 + 1,
            "states; missed and conflicts; rejections by reason; stale outcomes"
        );
    });
}

#[test]
fn a_breaker_is_counted_as_it_is_when_it_is_first_watched() {
    exported(|handle| {
        let breaker = DEPENDENCY.build();
        breaker.disable();
        let _breaker = Metrics::new().on(breaker);
        assert_eq!(
            counted(&handle.render(), "dependency"),
            only(State::Disabled, 1)
        );
    });
}

#[test]
fn breakers_of_one_name_add_up() {
    exported(|handle| {
        let mut breakers: Vec<_> = (0..5)
            .map(|_| Metrics::new().on(DEPENDENCY.build()))
            .collect();
        fail(&breakers[0]);
        fail(&breakers[3]);
        let expected = vec![("closed".to_owned(), 3), ("open".to_owned(), 2)];
        assert_eq!(counted(&handle.render(), "dependency"), expected);
        breakers.truncate(1);
        assert_eq!(
            counted(&handle.render(), "dependency"),
            only(State::Open, 1)
        );
    });
}

#[test]
fn transitions_are_counted_by_edge_and_cause() {
    exported(|handle| {
        let breaker = Metrics::new().on(DEPENDENCY.build());
        for _ in 0..3 {
            fail(&breaker);
            breaker.reset();
        }
        let scrape = handle.render();
        let all: Vec<_> = samples(&scrape)
            .into_iter()
            .filter(|(series, _)| series.contains("_transitions{"))
            .collect();
        assert_eq!(
            all,
            [
                (
                    "circuit_breaker_missed_transitions{circuit_breaker_name=\"dependency\"}",
                    "0"
                ),
                (
                    "circuit_breaker_transitions{circuit_breaker_name=\"dependency\",\
                     circuit_breaker_transition_from=\"closed\",circuit_breaker_transition_to=\"open\",\
                     circuit_breaker_transition_cause=\"tripped\"}",
                    "3"
                ),
                (
                    "circuit_breaker_transitions{circuit_breaker_name=\"dependency\",\
                     circuit_breaker_transition_from=\"open\",circuit_breaker_transition_to=\"closed\",\
                     circuit_breaker_transition_cause=\"operator\"}",
                    "3"
                ),
            ]
        );
    });
}

#[test]
fn missed_transitions_are_counted_and_leave_the_state_right() {
    exported(|handle| {
        let breaker = Arc::new_cyclic(|weak: &Weak<Breaker>| {
            let (weak, once) = (weak.clone(), Once::new());
            let many = move |_: &Transition| {
                once.call_once(|| {
                    let breaker = weak.upgrade().unwrap();
                    for _ in 0..20 {
                        breaker.force_open();
                        breaker.disable();
                    }
                });
            };
            Metrics::new()
                .on(DEPENDENCY.build())
                .with_shared_listener(Arc::new(many))
        });
        breaker.reset();
        let scrape = handle.render();
        assert_eq!(counted(&scrape, "dependency"), only(State::Disabled, 1));
        let missed = "circuit_breaker_missed_transitions{circuit_breaker_name=\"dependency\"}";
        assert_eq!(samples(&scrape)[missed], "24");
    });
}

#[test]
fn only_the_requested_call_counters_are_recorded() {
    for (metrics, expected) in [
        (
            Metrics::new(),
            [
                Some("2"),
                Some("1"),
                Some("1"),
                Some("2"),
                Some("2"),
                None,
                None,
            ],
        ),
        (
            Metrics::new().calls(),
            [
                Some("2"),
                Some("1"),
                Some("1"),
                Some("2"),
                Some("2"),
                Some("8"),
                Some("5"),
            ],
        ),
    ] {
        exported(|handle| {
            let clock = Arc::new(Manual::new());
            let breaker = metrics.on(DEPENDENCY.build().with_shared_clock(clock.clone()));
            for _ in 0..4 {
                breaker.call(|| Ok::<_, ()>(())).unwrap();
            }
            let late = breaker.try_acquire().unwrap();
            let late_failure = breaker.try_acquire().unwrap();
            fail(&breaker);
            breaker.try_acquire().unwrap_err();
            breaker.try_acquire().unwrap_err();
            late.success();
            late_failure.failure();
            clock.advance(SECOND);
            let _probe = breaker.try_acquire().unwrap();
            breaker.try_acquire().unwrap_err();
            breaker.force_open();
            breaker.try_acquire().unwrap_err();

            let scrape = handle.render();
            let samples = samples(&scrape);
            let rejections = |reason| {
                format!(
                    "circuit_breaker_rejections{{circuit_breaker_name=\"dependency\",\
                     circuit_breaker_rejection_reason=\"{reason}\"}}"
                )
            };
            let of =
                |metric| format!("circuit_breaker_{metric}{{circuit_breaker_name=\"dependency\"}}");
            let series = [
                rejections("open"),
                rejections("probes-busy"),
                rejections("forced-open"),
                of("failures"),
                of("stale_outcomes"),
                of("admissions"),
                of("successes"),
            ];
            assert_eq!(
                series.map(|series| samples.get(&*series).copied()),
                expected
            );
        });
    }
}

#[test]
fn counted_calls_are_published_as_they_are() {
    exported(|handle| {
        let breaker = DEPENDENCY.count_calls().build();
        let ignored = |_: &Result<(), ()>| Outcome::Ignored;
        for round in 1..=3 {
            breaker.call(|| Ok::<_, ()>(())).unwrap();
            breaker.call_with(|| Ok(()), ignored).unwrap();
            publish(&breaker);
            publish(&breaker);
            let scrape = handle.render();
            let value = |counter: &str| {
                let series =
                    format!("circuit_breaker_{counter}{{circuit_breaker_name=\"dependency\"}}");
                samples(&scrape)[&*series].to_owned()
            };
            assert_eq!(value("successes"), round.to_string());
            assert_eq!(value("ignored"), round.to_string());
        }
    });
}

#[test]
fn a_breaker_that_counts_no_calls_publishes_none() {
    exported(|handle| {
        let breaker = DEPENDENCY.build();
        breaker.call(|| Ok::<_, ()>(())).unwrap();
        publish(&breaker);
        assert_eq!(handle.render(), "");
    });
}

#[test]
fn a_static_breaker_is_counted_from_when_it_is_begun_or_from_its_first_transition() {
    static OF_BEGUN: Metrics = Metrics::new();
    static OF_LATE: Metrics = Metrics::new();
    static BEGUN: Breaker = Breaker::builder()
        .name("begun")
        .listeners(&[&OF_BEGUN])
        .build();
    static LATE: Breaker = Breaker::builder()
        .name("late")
        .listeners(&[&OF_LATE])
        .build();

    exported(|handle| {
        OF_BEGUN.register(&BEGUN);
        OF_BEGUN.register(&BEGUN);
        LATE.call(|| Ok::<_, ()>(())).unwrap();
        assert_eq!(counted(&handle.render(), "begun"), only(State::Closed, 1));
        assert_eq!(counted(&handle.render(), "late"), []);
        BEGUN.force_open();
        LATE.force_open();
        OF_LATE.register(&LATE);
        assert_eq!(
            counted(&handle.render(), "begun"),
            only(State::ForcedOpen, 1)
        );
        assert_eq!(
            counted(&handle.render(), "late"),
            only(State::ForcedOpen, 1)
        );
    });
}

#[test]
fn a_breaker_that_moved_before_there_was_a_recorder_is_counted_once_there_is_one() {
    static METRICS: Metrics = Metrics::new().calls();
    static EARLY: Breaker = DEPENDENCY
        .name("early")
        .listeners(&[&METRICS])
        .call_listener(&METRICS)
        .build();

    METRICS.register(&EARLY);
    EARLY.force_open();
    EARLY.try_acquire().unwrap_err();
    exported(|handle| {
        METRICS.register(&EARLY);
        assert_eq!(
            counted(&handle.render(), "early"),
            only(State::ForcedOpen, 1)
        );
        EARLY.try_acquire().unwrap_err();
        EARLY.reset();
        fail(&EARLY);
        let scrape = handle.render();
        assert_eq!(counted(&scrape, "early"), only(State::Open, 1));
        let samples = samples(&scrape);
        let rejections = "circuit_breaker_rejections{circuit_breaker_name=\"early\",\
            circuit_breaker_rejection_reason=\"forced-open\"}";
        assert_eq!(samples[rejections], "1");
        assert_eq!(
            samples["circuit_breaker_admissions{circuit_breaker_name=\"early\"}"],
            "1"
        );
    });
}

#[test]
fn a_breaker_that_was_watched_before_there_was_a_recorder_is_counted_from_its_first_transition() {
    let breaker = Metrics::new().on(DEPENDENCY.build());
    breaker.force_open();
    exported(|handle| {
        breaker.reset();
        assert_eq!(
            counted(&handle.render(), "dependency"),
            only(State::Closed, 1)
        );
        fail(&breaker);
        assert_eq!(
            counted(&handle.render(), "dependency"),
            only(State::Open, 1)
        );
        drop(breaker);
        assert_eq!(counted(&handle.render(), "dependency"), []);
    });
}

#[test]
fn breakers_of_two_names_that_share_a_metrics_are_counted_under_their_own() {
    static METRICS: Metrics = Metrics::new();
    static ONE: Breaker = DEPENDENCY.name("one").listeners(&[&METRICS]).build();
    static OTHER: Breaker = DEPENDENCY.name("other").listeners(&[&METRICS]).build();

    exported(|handle| {
        METRICS.register(&ONE);
        METRICS.register(&OTHER);
        assert_eq!(counted(&handle.render(), "one"), only(State::Closed, 1));
        assert_eq!(counted(&handle.render(), "other"), only(State::Closed, 1));
        OTHER.force_open();
        for _ in 0..3 {
            OTHER.try_acquire().unwrap_err();
        }
        let scrape = handle.render();
        assert_eq!(counted(&scrape, "one"), only(State::Closed, 1));
        assert_eq!(counted(&scrape, "other"), only(State::ForcedOpen, 1));
        let rejections = |name| {
            let series = format!(
                "circuit_breaker_rejections{{circuit_breaker_name=\"{name}\",\
                 circuit_breaker_rejection_reason=\"forced-open\"}}"
            );
            samples(&scrape)
                .get(&*series)
                .map(|many| (*many).to_owned())
        };
        assert_eq!(rejections("other").as_deref(), Some("3"));
        assert_eq!(rejections("one").as_deref(), Some("0"));
        assert_eq!(conflicts(&scrape, "one"), Some("0"));
        assert_eq!(conflicts(&scrape, "other"), Some("0"));
    });
}

fn conflicts<'a>(scrape: &'a str, name: &str) -> Option<&'a str> {
    let series = format!("circuit_breaker_conflicts{{circuit_breaker_name=\"{name}\"}}");
    samples(scrape).get(&*series).copied()
}

#[test]
fn breakers_of_one_name_that_share_a_metrics_are_a_conflict_that_is_counted() {
    static METRICS: Metrics = Metrics::new();
    static ONE: Breaker = DEPENDENCY.name("same").listeners(&[&METRICS]).build();
    static OTHER: Breaker = DEPENDENCY.name("same").listeners(&[&METRICS]).build();

    exported(|handle| {
        METRICS.register(&ONE);
        METRICS.register(&ONE);
        for _ in 0..20 {
            ONE.force_open();
            ONE.reset();
        }
        METRICS.register(&ONE);
        ONE.force_open();
        assert_eq!(conflicts(&handle.render(), "same"), Some("0"));
        OTHER.force_open();
        assert_eq!(conflicts(&handle.render(), "same"), Some("1"));
    });
}

#[test]
fn concurrent_changes_leave_each_breaker_counted_once_under_its_state() {
    exported(|handle| {
        let breakers: Vec<_> = (0..3)
            .map(|_| Metrics::new().on(DEPENDENCY.build()))
            .collect();
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    for i in 0..3_000 {
                        let breaker = &breakers[i % 3];
                        match i % 5 {
                            0 => breaker.reset(),
                            1 => breaker.force_open(),
                            2 => breaker.disable(),
                            _ => breaker.force_open_for(SECOND),
                        };
                    }
                });
            }
        });
        let mut expected = BTreeMap::new();
        for breaker in &breakers {
            *expected
                .entry(breaker.snapshot().stored_state.to_string())
                .or_insert(0) += 1;
        }
        assert_eq!(
            counted(&handle.render(), "dependency"),
            expected.into_iter().collect::<Vec<_>>()
        );
        drop(breakers);
        assert_eq!(counted(&handle.render(), "dependency"), []);
    });
}

#[cfg(feature = "keyed")]
#[test]
fn a_set_of_breakers_is_counted_under_one_name_and_those_that_leave_no_more() {
    use cutout::keyed::Breakers;

    exported(|handle| {
        let breakers = Breakers::<u32>::builder()
            .each_by(|_| Metrics::new().on(DEPENDENCY.build()))
            .bound(100)
            .build();
        for key in 0..100 {
            breakers.get(&key);
        }
        fail(&breakers.get(&7));
        let counts = |closed, open| {
            let expected = vec![("closed".to_owned(), closed), ("open".to_owned(), open)];
            assert_eq!(counted(&handle.render(), "dependency"), expected);
        };
        counts(99, 1);
        let overflow = || counted(&handle.render(), "dependency-overflow");
        assert_eq!(overflow(), only(State::Closed, 1));
        breakers.overflow().force_open();
        assert_eq!(overflow(), only(State::ForcedOpen, 1));
        breakers.overflow().reset();
        counts(99, 1);
        breakers.remove(&7);
        assert_eq!(
            counted(&handle.render(), "dependency"),
            only(State::Closed, 99)
        );
        for new_key in 100..150 {
            breakers.get(&new_key);
            let closed = i64::try_from(breakers.len()).unwrap();
            assert_eq!(
                counted(&handle.render(), "dependency"),
                only(State::Closed, closed)
            );
        }
        fail(&breakers.get(&60));
        breakers.retain(|key, _| key % 2 == 0);
        let left = i64::try_from(breakers.len()).unwrap();
        assert!((40..60).contains(&left), "{left}");
        counts(left - 1, 1);
        drop(breakers);
        assert_eq!(counted(&handle.render(), "dependency"), []);
        assert_eq!(counted(&handle.render(), "dependency-overflow"), []);
    });
}

#[tokio::test]
async fn a_scrape_over_http_shows_it_all() {
    let (recorder, exporter) = loop {
        // A port that is free now may be taken by the time the server binds it.
        let free = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let builder = PrometheusBuilder::new().with_http_listener(free);
        if let Ok((recorder, exporter)) = builder.build() {
            break ((recorder, free), exporter);
        }
    };
    let (recorder, address) = recorder;
    tokio::spawn(exporter);
    let breaker = metrics::with_local_recorder(&recorder, || {
        describe();
        let breaker = Metrics::new().calls().on(DEPENDENCY.build());
        breaker.call(|| Ok::<_, ()>(())).unwrap();
        fail(&breaker);
        breaker.try_acquire().unwrap_err();
        breaker
    });
    let response = reqwest::get(format!("http://{address}/metrics"))
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let scrape = response.text().await.unwrap();
    assert_eq!(counted(&scrape, "dependency"), only(State::Open, 1));
    assert!(
        scrape.contains("# TYPE circuit_breaker_count gauge"),
        "{scrape}"
    );
    assert!(
        scrape.contains("# HELP circuit_breaker_rejections Calls that a circuit breaker rejected."),
        "{scrape}"
    );
    for kind in [
        "transitions",
        "missed_transitions",
        "rejections",
        "stale_outcomes",
        "admissions",
        "successes",
    ] {
        assert!(
            scrape.contains(&format!("# TYPE circuit_breaker_{kind} counter")),
            "{kind}: {scrape}"
        );
    }
    drop(breaker);
}

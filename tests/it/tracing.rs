//! Transitions and rejections as `tracing` events.

use std::{
    io,
    sync::{Arc, Mutex},
};

use cutout::{Backoff, Breaker, Outcome, Trip, clock::Manual, tracing::Events};
use tracing_subscriber::fmt;

use crate::support::SECOND;

/// The output of a subscriber.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl io::Write for Output {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output {
    /// Takes the lines written since the last call.
    fn lines(&self) -> Vec<String> {
        let text = std::mem::take(&mut *self.0.lock().unwrap());
        let text = String::from_utf8(text).unwrap();
        text.lines()
            .map(|line| line.trim_start().to_owned())
            .collect()
    }
}

/// Runs `test` where events of `level` and above are logged.
fn logged(level: tracing::Level, test: impl FnOnce(&Output)) {
    let log = Output::default();
    let writer = log.clone();
    let subscriber = fmt()
        .with_max_level(level)
        .without_time()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || test(&log));
}

fn dependency() -> (Breaker, Arc<Manual>) {
    let clock = Arc::new(Manual::new());
    let breaker = Breaker::builder()
        .name("dependency")
        .trip(Trip::failures(2).of_last(3))
        .backoff(Backoff::exponential(SECOND, 2, 60 * SECOND))
        .listeners(&[&Events])
        .build()
        .with_shared_clock(clock.clone());
    (breaker, clock)
}

fn record(breaker: &Breaker, outcome: Outcome) {
    breaker.try_acquire().unwrap().record(outcome);
}

#[test]
fn transitions_are_logged_whole_at_the_level_of_their_severity() {
    logged(tracing::Level::INFO, |log| {
        let (breaker, clock) = dependency();
        record(&breaker, Outcome::Failure);
        record(&breaker, Outcome::Success);
        record(&breaker, Outcome::Failure);
        breaker.try_acquire().unwrap_err();
        assert_eq!(
            log.lines(),
            ["WARN cutout: circuit breaker closed to open \
                 circuit_breaker.name=\"dependency\" circuit_breaker.generation=1 \
                 circuit_breaker.transition.from=\"closed\" circuit_breaker.transition.to=\"open\" \
                 circuit_breaker.transition.cause=\"tripped\" \
                 circuit_breaker.transition.failures=2 circuit_breaker.transition.calls=3 \
                 circuit_breaker.transition.reopens=0 circuit_breaker.transition.open_for=1.0"]
        );
        clock.advance(SECOND);
        record(&breaker, Outcome::Failure);
        assert_eq!(
            log.lines(),
            [
                "INFO cutout: circuit breaker open to half-open \
                 circuit_breaker.name=\"dependency\" circuit_breaker.generation=2 \
                 circuit_breaker.transition.from=\"open\" circuit_breaker.transition.to=\"half-open\" \
                 circuit_breaker.transition.cause=\"probe-admitted\" \
                 circuit_breaker.transition.reopens=0",
                "WARN cutout: circuit breaker half-open to open \
                 circuit_breaker.name=\"dependency\" circuit_breaker.generation=3 \
                 circuit_breaker.transition.from=\"half-open\" circuit_breaker.transition.to=\"open\" \
                 circuit_breaker.transition.cause=\"probe-failed\" \
                 circuit_breaker.transition.reopens=1 circuit_breaker.transition.open_for=2.0",
            ]
        );
        clock.advance(2 * SECOND);
        std::mem::forget(breaker.try_acquire().unwrap());
        clock.advance(100 * SECOND);
        breaker.try_acquire().unwrap_err();
        clock.advance(10 * SECOND);
        record(&breaker, Outcome::Success);
        breaker.force_open();
        let heads: Vec<String> = log
            .lines()
            .iter()
            .map(|line| {
                let cause = line.split("cause=").nth(1).unwrap();
                let cause = cause.split(' ').next().unwrap();
                format!("{} {cause}", line.split(' ').next().unwrap())
            })
            .collect();
        assert_eq!(
            heads,
            [
                "INFO \"probe-admitted\"",
                "WARN \"lease-expired\"",
                "INFO \"probe-admitted\"",
                "INFO \"recovered\"",
                "INFO \"operator\"",
            ]
        );
    });
}

#[test]
fn a_rejection_is_logged_at_debug_with_its_reason_and_the_wait() {
    const REJECTED: &str =
        "DEBUG cutout: circuit breaker rejected a call circuit_breaker.name=\"dependency\"";

    logged(tracing::Level::DEBUG, |log| {
        let (breaker, clock) = dependency();
        // Without the line of the transition before it.
        let rejected = || {
            log.lines();
            breaker.try_acquire().unwrap_err();
            log.lines()
        };
        breaker.force_open_for(3 * SECOND);
        clock.advance(SECOND / 2);
        let open = "circuit_breaker.generation=1 circuit_breaker.rejection.reason=\"open\" \
                    circuit_breaker.rejection.retry_after=2.5";
        assert_eq!(rejected(), [format!("{REJECTED} {open}")]);
        clock.advance(3 * SECOND);
        let _probe = breaker.try_acquire().unwrap();
        let busy = "circuit_breaker.generation=2 circuit_breaker.rejection.reason=\"probes-busy\" \
                    circuit_breaker.rejection.retry_after=1.0";
        assert_eq!(rejected(), [format!("{REJECTED} {busy}")]);
        breaker.force_open();
        let forced =
            "circuit_breaker.generation=3 circuit_breaker.rejection.reason=\"forced-open\"";
        assert_eq!(rejected(), [format!("{REJECTED} {forced}")]);
    });
}

#[test]
fn the_number_of_missed_transitions_is_logged() {
    logged(tracing::Level::INFO, |log| {
        let once = std::sync::Once::new();
        let breaker = Arc::new_cyclic(|weak: &std::sync::Weak<Breaker>| {
            let weak = weak.clone();
            let many = move |_: &cutout::Transition| {
                once.call_once(|| {
                    let breaker = weak.upgrade().unwrap();
                    for _ in 0..20 {
                        breaker.reset();
                    }
                });
            };
            let breaker = Breaker::builder().listeners(&[&Events]).build();
            breaker.with_shared_listener(Arc::new(many))
        });
        breaker.force_open();
        let lines = log.lines();
        assert_eq!(lines.len(), 17);
        let missed = "circuit_breaker.transition.missed=";
        assert!(lines[1].ends_with(&format!("{missed}4")), "{}", lines[1]);
        assert_eq!(lines.iter().filter(|line| line.contains(missed)).count(), 1);
        assert!(!lines[0].contains("circuit_breaker.name"), "it has none");
    });
}

//! The log of failures, used directly and fed by a breaker.

use std::{
    cell::Cell,
    fmt, iter,
    sync::{Arc, atomic::AtomicU32, atomic::Ordering},
    time::{Duration, SystemTime},
};

use cutout::{
    Breaker, Outcome,
    last_error::{Failure, FailureLog, LogSnapshot, WithLastError},
};

use super::{Bench, CountedError};

const NOON: SystemTime = SystemTime::UNIX_EPOCH;

thread_local! {
    static LATER: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Advances one second at each call.
fn wall_clock() -> SystemTime {
    let later = LATER.get();
    LATER.set(later + Duration::from_secs(1));
    NOON + later
}

fn numbers(read: &LogSnapshot) -> Vec<u64> {
    read.failures.iter().map(|failure| failure.number).collect()
}

fn messages(log: &FailureLog) -> Vec<String> {
    let failures = log.read().failures;
    failures
        .iter()
        .map(|failure| failure.message.to_string())
        .collect()
}

#[test]
fn a_failure_carries_time_message_and_period() {
    let log = FailureLog::new(2).wall_clock(wall_clock);
    log.record(0, "io", &"first");
    log.record(7, "http", &503);
    let read = log.read();
    assert_eq!((numbers(&read), read.missing), (vec![2, 1], 0));
    let Failure {
        when,
        generation,
        class,
        message,
        ..
    } = &*read.failures[0];
    assert_eq!(*when, NOON + Duration::from_secs(1));
    assert_eq!((*generation, *class, &**message), (7, "http", "503"));
    assert_eq!(read.failures[1].when, NOON);
}

#[test]
fn the_oldest_are_overwritten_and_counted() {
    for capacity in [1, 2, 3, 4_096] {
        let log = FailureLog::new(capacity);
        let read = log.read();
        assert_eq!((read.failures.len(), read.missing), (0, 0));
        for number in 1..=10_000 {
            log.record(0, "io", &number);
            if number % 999 == 1 || number == 10_000 {
                let read = log.read();
                let kept = number.min(capacity.into());
                let newest_first: Vec<_> = (0..kept).map(|back| number - back).collect();
                assert_eq!(numbers(&read), newest_first);
                assert_eq!(read.missing, number - kept);
                let texts = messages(&log).into_iter();
                assert!(texts.eq(newest_first.iter().map(u64::to_string)));
            }
        }
    }
}

#[test]
fn a_capacity_out_of_bounds_is_refused_by_name_value_and_bound() {
    for capacity in [0, 4_097, u32::MAX] {
        let error = FailureLog::try_new(capacity).unwrap_err();
        assert_eq!(error.field(), "capacity");
        let expected = format!("capacity must be 1 to 4096, got {capacity}");
        assert_eq!(error.to_string(), expected);
    }
    assert!(FailureLog::try_new(1).is_ok());
    assert!(FailureLog::try_new(4_096).is_ok());
}

#[test]
#[should_panic(expected = "capacity must be 1 to 4096, got 0")]
fn at_run_time_a_capacity_out_of_bounds_panics() {
    drop(FailureLog::new(0));
}

#[test]
fn a_long_message_is_cut() {
    let log = FailureLog::new(1);
    log.record(0, "io", &"é".repeat(1_000_000));
    assert_eq!(*log.read().failures[0].message, *"é".repeat(128));
}

#[test]
fn exactly_the_failures_that_count_are_logged() {
    let log = Arc::new(FailureLog::new(10));
    let Bench { dependency, clock } = Bench::<&str>::new();
    let class = |error: &&str| {
        if error.starts_with('t') {
            "timeout"
        } else {
            "io"
        }
    };
    let dependency = dependency.with_shared_log(log.clone(), class);
    let bench = Bench { dependency, clock };
    bench.succeed();
    for outcome in [Outcome::Success, Outcome::Ignored] {
        let call = || Err::<(), _>("not found");
        bench.dependency.call_with(call, |_| outcome).unwrap_err();
    }
    assert!(log.read().failures.is_empty());
    bench.fail("timed out");
    bench
        .dependency
        .call_with(|| Ok(503), |_| Outcome::Failure)
        .unwrap();
    bench.rejected();
    bench.past_the_deadline();
    bench.fail("refused");
    bench.dependency.breaker().disable();
    bench.fail("while disabled");

    let failures = log.read().failures;
    let logged: Vec<_> = failures
        .iter()
        .map(|failure| (failure.generation, failure.class, &*failure.message))
        .collect();
    let expected = [
        (2, "io", "refused"),
        (0, "result", "a result that counts as a failure"),
        (0, "timeout", "timed out"),
    ];
    assert_eq!(logged, expected);
}

/// A healthy call asks for no class, no `Display` of an error, and no wall-clock time.
#[test]
fn a_healthy_call_does_not_use_the_log() {
    static LOG: FailureLog = FailureLog::new(10).wall_clock(|| {
        ASKED.fetch_add(1, Ordering::Relaxed);
        SystemTime::now()
    });
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let asked = || ASKED.load(Ordering::Relaxed);
    let dependency = WithLastError::logging(Breaker::new(), &LOG, |_: &CountedError| {
        ASKED.fetch_add(100, Ordering::Relaxed);
        "broken"
    });
    for _ in 0..1_000 {
        dependency.call(|| Ok(7)).unwrap();
    }
    assert_eq!(asked(), 0);
    let shown = Arc::new(AtomicU32::new(0));
    let broken = || CountedError {
        what: "down",
        shown: shown.clone(),
    };
    let not_counted = dependency.call_with(|| Err::<(), _>(broken()), |_| Outcome::Ignored);
    not_counted.unwrap_err();
    assert_eq!((asked(), shown.load(Ordering::Relaxed)), (0, 0));
    // Shows that this test can fail.
    dependency.call(|| Err::<(), _>(broken())).unwrap_err();
    assert_eq!((asked(), shown.load(Ordering::Relaxed)), (101, 1));
}

#[derive(Debug)]
struct PanicsOnDisplay;

impl fmt::Display for PanicsOnDisplay {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("on purpose")
    }
}

#[test]
fn an_error_that_panics_when_it_is_displayed_reaches_its_caller() {
    static LOG: FailureLog = FailureLog::new(10);
    let dependency = WithLastError::logging(Breaker::new(), &LOG, |_: &PanicsOnDisplay| "panics");
    let error = dependency
        .call(|| Err::<(), _>(PanicsOnDisplay))
        .unwrap_err();
    assert!(!error.is_rejected());
    assert_eq!(dependency.breaker().snapshot().failures, Some(1));
    dependency
        .call_with(|| Ok(503), |_| Outcome::Failure)
        .unwrap();
    let read = LOG.read();
    assert_eq!((numbers(&read), read.missing), (vec![1], 0), "no gap");
}

#[test]
fn a_read_of_the_log_stays_while_it_is_written() {
    let log = FailureLog::new(1);
    let reads: Vec<_> = iter::repeat_with(|| {
        log.record(0, "io", &"down");
        log.read()
    })
    .take(5)
    .collect();
    let read: Vec<_> = reads.iter().flat_map(numbers).collect();
    assert_eq!(read, [1, 2, 3, 4, 5]);
}

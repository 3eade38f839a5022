//! Hints: how long a dependency asked to be left alone (`Outcome::FailureFor`).

use std::time::Duration;

use cutout::{Backoff, Breaker, Outcome, Policy, Recorded, State, Trip};

use super::{DAY, FIRST, MS, SECOND, breaker, fail, succeed};

fn report(breaker: &Breaker, outcome: Outcome) -> Recorded {
    breaker.try_acquire().unwrap().record(outcome)
}

fn open_for(breaker: &Breaker) -> Duration {
    breaker.snapshot().retry_after.unwrap_or_default()
}

#[test]
fn a_hint_holds_a_breaker_for_at_most_an_hour_on_any_clock() {
    let (breaker, clock) = breaker(FIRST.open_for(SECOND), 60 * 86_400 * 1_000_000_000);
    report(&breaker, Outcome::FailureFor(6 * SECOND));
    clock.step_back(29 * DAY);
    let remaining = open_for(&breaker);
    assert!(remaining <= 3_601 * SECOND, "{remaining:?}");
    clock.advance(3_600 * SECOND);
    assert!(succeed(&breaker), "an hour later");
}

#[test]
fn a_length_that_an_operator_gave_may_still_last_thirty_days() {
    let (breaker, clock) = breaker(FIRST.open_for(SECOND), 0);
    breaker.force_open_for(30 * DAY);
    assert_eq!(open_for(&breaker), 30 * DAY);
    assert_eq!(breaker.snapshot().reopens, 0);
    clock.advance(29 * DAY);
    assert_eq!(breaker.state(), State::Open);
    clock.advance(DAY);
    assert!(breaker.try_acquire().unwrap().is_probe());
    assert_eq!(breaker.snapshot().reopens, 0);
}

/// A trip of each kind of window, all of which trip at the third failure.
fn trips() -> [Trip; 5] {
    [
        Trip::consecutive(3),
        Trip::failures(3).of_last(20),
        Trip::failures(3).of_last(200),
        Trip::failures(3).within(60 * SECOND),
        Trip::percent(50).min_calls(3).within(60 * SECOND),
    ]
}

#[test]
fn the_longest_hint_that_still_runs_counts_when_it_trips() {
    for trip in trips() {
        let (breaker, clock) = breaker(Policy::new().trip(trip).open_for(SECOND), 1);
        report(&breaker, Outcome::FailureFor(30 * SECOND));
        clock.advance(10 * SECOND);
        report(&breaker, Outcome::FailureFor(2 * SECOND));
        assert_eq!(
            report(&breaker, Outcome::Failure),
            Recorded::Tripped,
            "{trip:?}"
        );
        let remaining = open_for(&breaker);
        let expected = 20 * SECOND..20 * SECOND + MS;
        assert!(expected.contains(&remaining), "{trip:?}: {remaining:?}");
    }
}

#[test]
fn a_hint_that_has_expired_or_is_shorter_than_the_interval_has_no_effect() {
    for trip in trips() {
        let (breaker, clock) = breaker(Policy::new().trip(trip).open_for(5 * SECOND), 0);
        report(&breaker, Outcome::FailureFor(2 * SECOND));
        report(&breaker, Outcome::FailureFor(6 * SECOND));
        clock.advance(2 * SECOND);
        report(&breaker, Outcome::Failure);
        assert_eq!(open_for(&breaker), 5 * SECOND, "{trip:?}");
    }
}

#[test]
fn a_hint_of_an_earlier_period_is_forgotten() {
    for trip in trips() {
        let (breaker, _clock) = breaker(Policy::new().trip(trip).open_for(SECOND), 0);
        report(&breaker, Outcome::FailureFor(30 * SECOND));
        breaker.reset();
        (0..3).for_each(|_| fail(&breaker));
        assert_eq!(open_for(&breaker), SECOND, "{trip:?}");
    }
}

#[test]
fn the_hint_of_the_failure_that_trips_counts_to_the_millisecond_upwards() {
    for trip in trips() {
        for (hint, millis) in [(2_000_001, 2_001), (2_000_000, 2_000), (1_999_001, 2_000)] {
            let (breaker, _clock) = breaker(Policy::new().trip(trip).open_for(SECOND), 0);
            (0..2).for_each(|_| fail(&breaker));
            report(&breaker, Outcome::FailureFor(Duration::from_micros(hint)));
            assert_eq!(
                open_for(&breaker),
                Duration::from_millis(millis),
                "{trip:?}"
            );
        }
    }
}

/// A hint is compared with the drawn interval, so that it never shortens it.
#[test]
fn a_hint_within_the_jitter_shortens_no_open_period() {
    for seed in 0..50 {
        let backoff = Backoff::exponential(SECOND, 1, SECOND)
            .jitter(100)
            .seed(seed);
        let open = |outcome| {
            let (breaker, _clock) = breaker(FIRST.backoff(backoff), 0);
            report(&breaker, outcome);
            open_for(&breaker)
        };
        let drawn = open(Outcome::Failure);
        let hint = 1_500 * MS;
        assert_eq!(
            open(Outcome::FailureFor(hint)),
            drawn.max(hint),
            "seed {seed}"
        );
    }
}

#[test]
fn a_slow_call_keeps_its_hint() {
    let policy = FIRST.open_for(SECOND).slow_call(10 * MS);
    let (breaker, clock) = breaker(policy, 0);
    let permit = breaker.try_acquire().unwrap();
    clock.advance(10 * MS);
    permit.record(Outcome::FailureFor(20 * SECOND));
    assert_eq!(open_for(&breaker), 20 * SECOND);
}

#[test]
fn a_failed_probe_s_hint_counts() {
    let (breaker, _clock) = breaker(FIRST.open_for(SECOND), 0);
    breaker.force_open();
    breaker.resume();
    report(&breaker, Outcome::FailureFor(20 * SECOND));
    assert_eq!(open_for(&breaker), 20 * SECOND);
}

//! Policies under which no probe can succeed, or under which one setting silently replaces another.

use cutout::{Backoff, Breaker, OnDrop, Policy};

use super::SECOND;

use crate::support::HOUR;

fn refused(policy: Policy) -> String {
    policy.validate().unwrap_err().to_string()
}

#[test]
fn a_slow_call_limit_above_the_default_lease_is_refused() {
    for (open_for, lease) in [(SECOND, 30 * SECOND), (60 * SECOND, 60 * SECOND)] {
        let policy = Policy::new().open_for(open_for);
        assert_eq!(policy.slow_call(lease).validate(), Ok(()));
        let text = refused(policy.slow_call(lease + SECOND));
        assert!(text.starts_with("slow_call must be 1ms to "), "{text}");
        assert!(text.contains("probe_lease"), "{text}");
        let longer = policy.slow_call(HOUR).probe_lease(HOUR);
        assert_eq!(longer.validate(), Ok(()));
    }
}

#[test]
fn a_drop_limit_above_the_lease_is_refused() {
    for on_drop in [OnDrop::FailureAfter, OnDrop::FailProbeAfter] {
        let policy = Policy::new().on_drop(on_drop(HOUR));
        let text = refused(policy);
        assert!(text.starts_with("on_drop must be 1ms to 30s"), "{text}");
        assert!(text.contains("probe_lease"), "{text}");
        assert!(refused(policy.probe_lease(SECOND)).starts_with("on_drop must be 1ms to 1s"));
        assert_eq!(policy.probe_lease(HOUR).validate(), Ok(()));
    }
}

#[test]
fn an_open_interval_set_in_two_ways_is_refused() {
    let backoff = Backoff::exponential(SECOND, 2, HOUR);
    for builder in [
        Breaker::builder().open_for(SECOND).backoff(backoff),
        Breaker::builder().backoff(backoff).open_for(SECOND),
    ] {
        let text = builder.try_build().unwrap_err().to_string();
        assert_eq!(text, "open_for must be left out beside backoff, got both");
    }
}

#[test]
fn an_open_interval_may_replace_that_of_a_policy() {
    let policy = Policy::new().backoff(Backoff::exponential(SECOND, 2, HOUR));
    let breaker = Breaker::builder().policy(policy).open_for(SECOND).build();
    assert_eq!(breaker.policy().backoff, Backoff::constant(SECOND));
    let breaker = Breaker::builder().open_for(SECOND).policy(policy).build();
    assert_eq!(breaker.policy(), policy);
}

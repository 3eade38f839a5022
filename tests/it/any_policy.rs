//! Strategies that generate any valid policy, for property tests.

use std::{ops::RangeInclusive, time::Duration};

use cutout::{Backoff, OnDrop, Policy, Trip};
use proptest::{option, prelude::*};

const DAY_MS: u64 = 86_400_000;

fn millis(range: RangeInclusive<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_millis)
}

fn of_last(n: impl Strategy<Value = u32>) -> impl Strategy<Value = Trip> {
    n.prop_flat_map(|n| {
        prop_oneof![
            (1..=n).prop_map(move |k| Trip::failures(k).of_last(n)),
            (1_u32..=100).prop_map(move |percent| Trip::percent(percent).of_last(n)),
            (1_u32..=100, 1..=n).prop_map(move |(percent, calls)| {
                Trip::percent(percent).min_calls(calls).of_last(n)
            }),
        ]
    })
}

fn within() -> impl Strategy<Value = Trip> {
    let rate = || (1_u32..=100, millis(100..=DAY_MS));
    prop_oneof![
        (1_u32..=1_024, millis(10..=365 * DAY_MS))
            .prop_map(|(k, time)| { Trip::failures(k).within(time) }),
        rate().prop_map(|(percent, time)| Trip::percent(percent).within(time)),
        (rate(), 1_u32..=1_000_000).prop_map(|((percent, time), calls)| {
            Trip::percent(percent).min_calls(calls).within(time)
        }),
    ]
}

/// A window, with a run of at most this many beside it.
fn any_pair() -> impl Strategy<Value = (Trip, u32)> {
    prop_oneof![
        (of_last(1_u32..=45), 1_u32..=45),
        (of_last(46_u32..=4_096), 1_u32..=65_535),
        (within(), 1_u32..=65_535),
    ]
}

fn any_trip() -> impl Strategy<Value = Trip> {
    prop_oneof![
        1 => (1_u32..=65_535).prop_map(Trip::consecutive),
        3 => any_pair().prop_map(|(window, _)| window),
        2 => any_pair().prop_map(|(window, run)| Trip::consecutive(run).or(window)),
        2 => any_pair().prop_map(|(window, run)| window.or(Trip::consecutive(run))),
    ]
}

fn any_backoff() -> impl Strategy<Value = Backoff> {
    let bounds = || (10..=30 * DAY_MS).prop_flat_map(|base| (Just(base), base..=30 * DAY_MS));
    let growing = (bounds(), 1_u32..=100).prop_map(|((base, cap), factor)| {
        let (base, cap) = (Duration::from_millis(base), Duration::from_millis(cap));
        Backoff::exponential(base, factor, cap)
    });
    let constant = millis(10..=30 * DAY_MS).prop_map(Backoff::constant);
    let interval = prop_oneof![growing, constant];
    let jitter = prop_oneof![Just(0), 0_u32..=100];
    (interval, jitter, any::<Option<u64>>()).prop_map(|(backoff, jitter, seed)| {
        let backoff = backoff.jitter(jitter);
        seed.map_or(backoff, |seed| backoff.seed(seed))
    })
}

fn any_on_drop() -> impl Strategy<Value = OnDrop> {
    prop_oneof![
        Just(OnDrop::FailProbe),
        Just(OnDrop::Ignore),
        Just(OnDrop::Failure),
        millis(1..=DAY_MS).prop_map(OnDrop::FailProbeAfter),
        millis(1..=DAY_MS).prop_map(OnDrop::FailureAfter),
    ]
}

/// A lease and a slow-call limit that are valid together.
fn any_limits() -> impl Strategy<Value = (Option<Duration>, Option<Duration>)> {
    option::of(10..=DAY_MS).prop_flat_map(|lease| {
        let limit = option::of(millis(1..=lease.unwrap_or(DAY_MS)));
        (Just(lease.map(Duration::from_millis)), limit)
    })
}

prop_compose! {
    pub fn any_policy()(
        trip in any_trip(),
        backoff in any_backoff(),
        probes in 1_u32..=63,
        successes in 1_u32..=63,
        (lease, slow_call) in any_limits(),
        on_drop in option::of(any_on_drop()),
    ) -> Policy {
        let mut policy = Policy::new();
        policy.trip = trip;
        policy.backoff = backoff;
        policy.probes = probes;
        policy.probe_successes = successes;
        policy.probe_lease = lease;
        // A slow-call limit above the lease is refused.
        let default = policy.backoff.base.max(Duration::from_secs(30));
        let most = lease.unwrap_or(default).min(Duration::from_millis(DAY_MS));
        policy.slow_call = slow_call.map(|limit| limit.min(most));
        policy.on_drop = on_drop.map(|on_drop| match on_drop {
            OnDrop::FailureAfter(limit) => OnDrop::FailureAfter(limit.min(most)),
            OnDrop::FailProbeAfter(limit) => OnDrop::FailProbeAfter(limit.min(most)),
            other => other,
        });
        policy
    }
}

//! Serializes a policy.

use core::time::Duration;

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::super::{Backoff, OnDrop, Policy, Span, Threshold, Trip, Window};

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        PolicyFile::from(*self).serialize(serializer)
    }
}

#[derive(Serialize)]
struct PolicyFile {
    trip: TripFile,
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    open_for: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backoff: Option<BackoffFile>,
    probes: u32,
    probe_successes: u32,
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    probe_lease: Option<Duration>,
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    slow_call: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_drop: Option<OnDropFile>,
}

#[derive(Serialize)]
struct TripFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    consecutive: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_calls: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    of_last: Option<u32>,
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    within: Option<Duration>,
}

#[derive(Serialize)]
struct BackoffFile {
    #[serde(with = "humantime_serde")]
    base: Duration,
    factor: u32,
    #[serde(with = "humantime_serde")]
    cap: Duration,
    jitter: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

struct OnDropFile(OnDrop);

/// Serializes as a string or a map. An enum would appear in YAML's own notation for enums.
impl Serialize for OnDropFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (key, limit) = match self.0 {
            OnDrop::FailProbe => return serializer.serialize_str("fail-probe"),
            OnDrop::Ignore => return serializer.serialize_str("ignore"),
            OnDrop::Failure => return serializer.serialize_str("failure"),
            OnDrop::FailProbeAfter(limit) => ("fail-probe-after", limit),
            OnDrop::FailureAfter(limit) => ("failure-after", limit),
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(key, &humantime_serde::Serde::from(limit))?;
        map.end()
    }
}

impl From<Policy> for PolicyFile {
    fn from(policy: Policy) -> Self {
        let constant = policy.backoff == Backoff::constant(policy.backoff.base);
        Self {
            trip: policy.trip.into(),
            open_for: constant.then_some(policy.backoff.base),
            backoff: (!constant).then(|| policy.backoff.into()),
            probes: policy.probes,
            probe_successes: policy.probe_successes,
            probe_lease: policy.probe_lease,
            slow_call: policy.slow_call,
            on_drop: policy.on_drop.map(OnDropFile),
        }
    }
}

impl From<Trip> for TripFile {
    fn from(trip: Trip) -> Self {
        let mut file = Self {
            consecutive: trip.consecutive,
            failures: None,
            percent: None,
            min_calls: None,
            of_last: None,
            within: None,
        };
        let Some(Window { threshold, span }) = trip.window else {
            return file;
        };
        match threshold {
            Threshold::Failures(k) => file.failures = Some(k),
            Threshold::Percent { percent, min_calls } => {
                file.percent = Some(percent);
                file.min_calls = Some(min_calls);
            }
        }
        match span {
            Span::OfLast(n) => file.of_last = Some(n),
            Span::Within(time) => file.within = Some(time),
        }
        file
    }
}

impl From<Backoff> for BackoffFile {
    fn from(backoff: Backoff) -> Self {
        Self {
            base: backoff.base,
            factor: backoff.factor,
            cap: backoff.cap,
            jitter: backoff.jitter,
            seed: backoff.seed,
        }
    }
}

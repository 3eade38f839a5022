//! A policy as a file writes it.
//!
//! ```toml
//! trip = { consecutive = 5, failures = 10, of_last = 20 }
//! backoff = { base = "5s", factor = 2, cap = "1m", jitter = 20 }
//! probes = 1
//! on_drop = { failure-after = "2s" }
//! ```
//!
//! What is left out is as in [`Policy::new`]; what is not known, or out of its bounds, is refused.

use core::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use crate::State;

use super::{Backoff, OnDrop, Policy, Span, Threshold, Trip, Window};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyFile {
    #[serde(default = "default_trip")]
    trip: TripFile,
    #[serde(
        default,
        with = "humantime_serde",
        skip_serializing_if = "Option::is_none"
    )]
    open_for: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backoff: Option<BackoffFile>,
    #[serde(default = "one")]
    probes: u32,
    #[serde(default = "one")]
    probe_successes: u32,
    #[serde(
        default,
        with = "humantime_serde",
        skip_serializing_if = "Option::is_none"
    )]
    probe_lease: Option<Duration>,
    #[serde(
        default,
        with = "humantime_serde",
        skip_serializing_if = "Option::is_none"
    )]
    slow_call: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_drop: Option<OnDropFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TripFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    consecutive: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failures: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    percent: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_calls: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of_last: Option<u32>,
    #[serde(
        default,
        with = "humantime_serde",
        skip_serializing_if = "Option::is_none"
    )]
    within: Option<Duration>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BackoffFile {
    #[serde(with = "humantime_serde")]
    base: Duration,
    factor: u32,
    #[serde(with = "humantime_serde")]
    cap: Duration,
    #[serde(default)]
    jitter: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OnDropFile {
    FailProbe,
    #[serde(with = "humantime_serde")]
    FailProbeAfter(Duration),
    Ignore,
    Failure,
    #[serde(with = "humantime_serde")]
    FailureAfter(Duration),
}

fn one() -> u32 {
    1
}

fn default_trip() -> TripFile {
    Policy::new().trip.into()
}

impl TryFrom<PolicyFile> for Policy {
    type Error = String;

    fn try_from(file: PolicyFile) -> Result<Self, String> {
        let backoff = match (file.open_for, file.backoff) {
            (None, None) => Policy::new().backoff,
            (Some(interval), None) => Backoff::constant(interval),
            (None, Some(backoff)) => backoff.into(),
            (Some(_), Some(_)) => {
                return Err("open_for and backoff exclude each other, got both".into());
            }
        };
        let policy = Policy {
            trip: file.trip.try_into()?,
            backoff,
            probes: file.probes,
            probe_successes: file.probe_successes,
            probe_lease: file.probe_lease,
            slow_call: file.slow_call,
            on_drop: file.on_drop.map(Into::into),
        };
        match policy.validate() {
            Ok(()) => Ok(policy),
            Err(error) => Err(error.to_string()),
        }
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
            on_drop: policy.on_drop.map(Into::into),
        }
    }
}

impl TryFrom<TripFile> for Trip {
    type Error = String;

    fn try_from(file: TripFile) -> Result<Self, String> {
        let run = file.consecutive.map(Trip::consecutive);
        let window = match (file.failures, file.percent, file.of_last, file.within) {
            (Some(k), None, Some(n), None) => Some(Trip::failures(k).of_last(n)),
            (Some(k), None, None, Some(time)) => Some(Trip::failures(k).within(time)),
            (None, Some(percent), n, time) if n.is_some() != time.is_some() => {
                let percent = match file.min_calls {
                    Some(calls) => Trip::percent(percent).min_calls(calls),
                    None => Trip::percent(percent),
                };
                n.map(|n| percent.of_last(n))
                    .or_else(|| time.map(|time| percent.within(time)))
            }
            (None, None, None, None) => None,
            _ => {
                return Err(
                    "a window is failures or percent, of_last or within: one of each".into(),
                );
            }
        };
        if file.min_calls.is_some() && file.percent.is_none() {
            return Err("min_calls belongs to percent, which is not given".into());
        }
        match (run, window) {
            (Some(run), Some(window)) => Ok(run.or(window)),
            (Some(trip), None) | (None, Some(trip)) => Ok(trip),
            (None, None) => {
                Err("trip must be consecutive, a window, or one of each, got neither".into())
            }
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

impl From<BackoffFile> for Backoff {
    fn from(file: BackoffFile) -> Self {
        Self {
            base: file.base,
            factor: file.factor,
            cap: file.cap,
            jitter: file.jitter,
            seed: file.seed,
        }
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

impl From<OnDropFile> for OnDrop {
    fn from(file: OnDropFile) -> Self {
        match file {
            OnDropFile::FailProbe => Self::FailProbe,
            OnDropFile::Ignore => Self::Ignore,
            OnDropFile::Failure => Self::Failure,
            OnDropFile::FailProbeAfter(limit) => Self::FailProbeAfter(limit),
            OnDropFile::FailureAfter(limit) => Self::FailureAfter(limit),
        }
    }
}

impl From<OnDrop> for OnDropFile {
    fn from(on_drop: OnDrop) -> Self {
        match on_drop {
            OnDrop::FailProbe => Self::FailProbe,
            OnDrop::Ignore => Self::Ignore,
            OnDrop::Failure => Self::Failure,
            OnDrop::FailProbeAfter(limit) => Self::FailProbeAfter(limit),
            OnDrop::FailureAfter(limit) => Self::FailureAfter(limit),
        }
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

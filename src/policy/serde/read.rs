//! Deserializes policy, trip, backoff and `on_drop`, each from a map.

use core::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};

use super::{
    super::{
        Backoff, OnDrop, Policy, Trip,
        compile::{DAY, LONGEST_OPEN, MAX_CALLS, SHORTEST_OPEN},
    },
    map::{FromMap, from_keys, from_map},
    scalar::{Length, Number, Whole},
};

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_map::<PolicyMap, D>(deserializer)
    }
}

/// Refuses a policy if the values read so far are out of bounds.
fn checked<E: Error>(policy: Policy) -> Result<Policy, E> {
    match policy.validate() {
        Ok(()) => Ok(policy),
        Err(error) => Err(E::custom(error)),
    }
}

/// Gives a policy without a lease the longest one, since `probe_lease` may be read after the keys
/// that it bounds.
fn with_any_lease(mut policy: Policy) -> Policy {
    policy.probe_lease = policy.probe_lease.or(Some(DAY));
    policy
}

fn optional<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    value: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(value)
}

fn number<'de, D: Deserializer<'de>>(value: D) -> Result<u32, D::Error> {
    Number::deserialize(value).map(|Number(number)| number)
}

fn optional_number<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u32>, D::Error> {
    Ok(optional(value)?.map(|Number(number)| number))
}

fn length<'de, D: Deserializer<'de>>(value: D) -> Result<Duration, D::Error> {
    Length::deserialize(value).map(|Length(length)| length)
}

fn optional_length<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Duration>, D::Error> {
    Ok(optional(value)?.map(|Length(length)| length))
}

#[derive(Default)]
struct PolicyMap {
    policy: Policy,
    /// True once `open_for` or `backoff` has been read.
    has_interval: bool,
}

impl PolicyMap {
    fn set_backoff<E: Error>(&mut self, backoff: Option<Backoff>) -> Result<(), E> {
        let Some(backoff) = backoff else {
            return Ok(());
        };
        if self.has_interval {
            return Err(E::custom(
                "open_for and backoff exclude each other, got both",
            ));
        }
        self.has_interval = true;
        self.policy.backoff = backoff;
        Ok(())
    }
}

impl FromMap for PolicyMap {
    const EXPECTED: &'static str =
        r#"a policy: in TOML { open_for = "15s" }, in JSON {"open_for": "15s"}"#;
    const KEYS: &'static [&'static str] = &[
        "trip",
        "open_for",
        "backoff",
        "probes",
        "probe_successes",
        "probe_lease",
        "slow_call",
        "on_drop",
    ];
    type Value = Policy;

    fn read<'de, D: Deserializer<'de>>(&mut self, key: &str, value: D) -> Result<(), D::Error> {
        match key {
            "trip" => self.policy.trip = from_map::<TripMap, D>(value)?,
            "open_for" => {
                let length = optional_length(value)?;
                self.set_backoff(length.map(Backoff::constant))?;
            }
            "backoff" => {
                let backoff: Option<BackoffInput> = optional(value)?;
                self.set_backoff(backoff.map(|BackoffInput(backoff)| backoff))?;
            }
            "probes" => self.policy.probes = number(value)?,
            "probe_successes" => self.policy.probe_successes = number(value)?,
            "probe_lease" => self.policy.probe_lease = optional_length(value)?,
            "slow_call" => self.policy.slow_call = optional_length(value)?,
            "on_drop" => {
                let on_drop: Option<OnDropInput> = optional(value)?;
                self.policy.on_drop = on_drop.map(|OnDropInput(on_drop)| on_drop);
            }
            other => return Err(D::Error::unknown_field(other, Self::KEYS)),
        }
        checked(with_any_lease(self.policy)).map(drop)
    }

    fn finish<E: Error>(self) -> Result<Policy, E> {
        checked(self.policy)
    }
}

#[derive(Default)]
struct TripMap {
    consecutive: Option<u32>,
    failures: Option<u32>,
    percent: Option<u32>,
    min_calls: Option<u32>,
    of_last: Option<u32>,
    within: Option<Duration>,
}

const ONE_WINDOW: &str = "a window is failures or percent, of_last or within: one of each";

impl TripMap {
    /// The window from the keys read so far, with a placeholder for a missing key.
    fn window<E: Error>(&self) -> Result<Option<Trip>, E> {
        let percent = |percent| {
            let rate = Trip::percent(percent);
            match self.min_calls {
                Some(calls) => rate.min_calls(calls),
                None => rate,
            }
        };
        Ok(
            match (self.failures, self.percent, self.of_last, self.within) {
                (Some(_), Some(_), _, _) | (_, _, Some(_), Some(_)) => {
                    return Err(E::custom(ONE_WINDOW));
                }
                (Some(k), None, None, Some(time)) => Some(Trip::failures(k).within(time)),
                (Some(k), None, n, None) => Some(Trip::failures(k).of_last(n.unwrap_or(MAX_CALLS))),
                (None, Some(p), Some(n), None) => Some(percent(p).of_last(n)),
                (None, Some(p), None, time) => {
                    Some(percent(p).within(time.unwrap_or(Duration::from_secs(1))))
                }
                (None, None, Some(n), None) => Some(Trip::failures(1).of_last(n)),
                (None, None, None, Some(time)) => Some(Trip::failures(1).within(time)),
                (None, None, None, None) => None,
            },
        )
    }

    /// The trip rule from the keys read so far, if any.
    fn trip<E: Error>(&self) -> Result<Option<Trip>, E> {
        let run = self.consecutive.map(Trip::consecutive);
        let trip = match (run, self.window()?) {
            (Some(run), Some(window)) => Some(run.or(window)),
            (run, window) => run.or(window),
        };
        if let Some(trip) = trip {
            checked(Policy::new().trip(trip))?;
        }
        Ok(trip)
    }
}

impl FromMap for TripMap {
    const EXPECTED: &'static str =
        r#"when to trip: in TOML { consecutive = 5 }, in JSON {"consecutive": 5}"#;
    const KEYS: &'static [&'static str] = &[
        "consecutive",
        "failures",
        "percent",
        "min_calls",
        "of_last",
        "within",
    ];
    type Value = Trip;

    fn read<'de, D: Deserializer<'de>>(&mut self, key: &str, value: D) -> Result<(), D::Error> {
        match key {
            "consecutive" => self.consecutive = optional_number(value)?,
            "failures" => self.failures = optional_number(value)?,
            "percent" => self.percent = optional_number(value)?,
            "min_calls" => self.min_calls = optional_number(value)?,
            "of_last" => self.of_last = optional_number(value)?,
            "within" => self.within = optional_length(value)?,
            other => return Err(D::Error::unknown_field(other, Self::KEYS)),
        }
        self.trip().map(drop)
    }

    fn finish<E: Error>(self) -> Result<Trip, E> {
        let has_threshold = self.failures.or(self.percent).is_some();
        if has_threshold != (self.of_last.is_some() || self.within.is_some()) {
            return Err(E::custom(ONE_WINDOW));
        }
        if self.min_calls.is_some() && self.percent.is_none() {
            return Err(E::custom(
                "min_calls belongs to percent, which is not given",
            ));
        }
        let neither = "trip must be consecutive, a window, or one of each, got neither";
        self.trip()?.ok_or_else(|| E::custom(neither))
    }
}

struct BackoffInput(Backoff);

impl<'de> Deserialize<'de> for BackoffInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_map::<BackoffMap, D>(deserializer).map(Self)
    }
}

#[derive(Default)]
struct BackoffMap {
    base: Option<Duration>,
    factor: Option<u32>,
    cap: Option<Duration>,
    jitter: u32,
    seed: Option<u64>,
}

impl BackoffMap {
    /// Checks the keys read so far. A missing key takes its widest value.
    fn check<E: Error>(&self) -> Result<Backoff, E> {
        let base = self.base.unwrap_or(SHORTEST_OPEN);
        let cap = self.cap.unwrap_or(LONGEST_OPEN);
        // With a factor of 1 and equal base and cap, an error would name `open_for`.
        let mut backoff = Backoff::exponential(base, self.factor.unwrap_or(2), cap);
        backoff.jitter = self.jitter;
        backoff.seed = self.seed;
        checked(Policy::new().backoff(backoff)).map(|policy| policy.backoff)
    }
}

impl FromMap for BackoffMap {
    const EXPECTED: &'static str = r#"a backoff: in TOML { base = "5s", factor = 2, cap = "1m" }, in JSON {"base": "5s", "factor": 2, "cap": "1m"}"#;
    const KEYS: &'static [&'static str] = &["base", "factor", "cap", "jitter", "seed"];
    type Value = Backoff;

    fn read<'de, D: Deserializer<'de>>(&mut self, key: &str, value: D) -> Result<(), D::Error> {
        match key {
            "base" => self.base = Some(length(value)?),
            "factor" => self.factor = Some(number(value)?),
            "cap" => self.cap = Some(length(value)?),
            "jitter" => self.jitter = number(value)?,
            "seed" => self.seed = optional(value)?.map(|Whole(seed)| seed),
            other => return Err(D::Error::unknown_field(other, Self::KEYS)),
        }
        self.check().map(drop)
    }

    fn finish<E: Error>(self) -> Result<Backoff, E> {
        for (key, is_given) in [
            ("base", self.base.is_some()),
            ("factor", self.factor.is_some()),
            ("cap", self.cap.is_some()),
        ] {
            if !is_given {
                return Err(E::missing_field(key));
            }
        }
        self.check()
    }
}

struct OnDropInput(OnDrop);

impl<'de> Deserialize<'de> for OnDropInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnDropVisitor).map(Self)
    }
}

const ON_DROP: &str = r#"one of "fail-probe", "ignore", "failure", or, in TOML { failure-after = "2s" } or { fail-probe-after = "1s" }, in JSON {"failure-after": "2s"}"#;

/// Accepts a name, or a map with a limit.
struct OnDropVisitor;

impl<'de> Visitor<'de> for OnDropVisitor {
    type Value = OnDrop;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ON_DROP)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<OnDrop, E> {
        match name {
            "fail-probe" => Ok(OnDrop::FailProbe),
            "ignore" => Ok(OnDrop::Ignore),
            "failure" => Ok(OnDrop::Failure),
            other => {
                const NAMES: &[&str] = &[
                    "fail-probe",
                    "ignore",
                    "failure",
                    "failure-after",
                    "fail-probe-after",
                ];
                Err(E::unknown_variant(other, NAMES))
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<OnDrop, A::Error> {
        from_keys::<OnDropMap, A>(keys)
    }
}

#[derive(Default)]
struct OnDropMap(Option<OnDrop>);

impl FromMap for OnDropMap {
    const EXPECTED: &'static str = ON_DROP;
    const KEYS: &'static [&'static str] = &["failure-after", "fail-probe-after"];
    type Value = OnDrop;

    fn read<'de, D: Deserializer<'de>>(&mut self, key: &str, value: D) -> Result<(), D::Error> {
        let limit = length(value)?;
        let on_drop = match key {
            "failure-after" => OnDrop::FailureAfter(limit),
            _ => OnDrop::FailProbeAfter(limit),
        };
        checked(with_any_lease(Policy::new().on_drop(on_drop)))?;
        if self.0.replace(on_drop).is_some() {
            return Err(D::Error::custom(format_args!("on_drop must be {ON_DROP}")));
        }
        Ok(())
    }

    fn finish<E: Error>(self) -> Result<OnDrop, E> {
        match self.0 {
            Some(on_drop) => Ok(on_drop),
            None => Err(E::custom(format_args!("on_drop must be {ON_DROP}"))),
        }
    }
}

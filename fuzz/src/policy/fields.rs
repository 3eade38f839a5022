//! Arbitrary values of a policy's fields.

use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use cutout::{Backoff, OnDrop, Policy, Span, Threshold, Trip};

/// Arguments of the setters.
#[derive(Arbitrary, Clone, Debug)]
pub(super) struct Fields {
    pub(super) trips: Trips,
    pub(super) open: Open,
    pub(super) probes: Number,
    pub(super) probe_successes: Number,
    pub(super) probe_lease: Option<Length>,
    pub(super) slow_call: Option<Length>,
    pub(super) on_drop: Option<Dropped>,
}

/// Arguments of `Trip::or`.
#[derive(Arbitrary, Clone, Debug)]
pub(super) struct Trips {
    pub(super) first: Part,
    pub(super) others: Vec<Part>,
    /// `a.or(b.or(c))` in place of `a.or(b).or(c)`.
    from_the_right: bool,
    /// Clears the public field `consecutive`, which may leave an empty trip rule.
    pub(super) no_run: bool,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Part {
    Run(Number),
    Failures(Number, Cover),
    Percent(Number, Option<Number>, Cover),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Cover {
    OfLast(Number),
    Within(Length),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Open {
    For(Length),
    Backoff {
        base: Length,
        factor: Number,
        cap: Length,
        jitter: Number,
        seed: Option<u64>,
    },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Dropped {
    FailProbe,
    Ignore,
    Failure,
    After(Length),
    ProbeAfter(Length),
}

/// Any number, most often near a bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(pub(super) u32);

/// Any duration, most often near a bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Length(pub(super) Duration);

impl<'a> Arbitrary<'a> for Number {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        const NEAR: [u32; 14] = [
            0,
            1,
            20,
            45,
            46,
            63,
            64,
            100,
            1_000,
            1_024,
            4_096,
            65_535,
            1_000_000,
            u32::MAX,
        ];
        let which = u.arbitrary::<u8>()?;
        Ok(Self(match NEAR.get(usize::from(which / 4)) {
            Some(near) => near.saturating_add(u32::from(which % 4)).saturating_sub(1),
            None if which < 128 => u32::from(which),
            None => u.arbitrary()?,
        }))
    }
}

impl<'a> Arbitrary<'a> for Length {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        const DAY: u64 = 86_400_000;
        const NEAR: [u64; 10] = [
            0,
            1,
            10,
            100,
            1_000,
            60_000,
            DAY,
            30 * DAY,
            365 * DAY,
            31 * DAY,
        ];
        let which = u.arbitrary::<u8>()?;
        Ok(Self(match NEAR.get(usize::from(which / 8)) {
            Some(&near) => {
                let near = Duration::from_millis(near);
                let step = Duration::from_nanos([0, 1, 999_999, 1_000_000][usize::from(which % 4)]);
                if which % 8 < 4 {
                    near + step
                } else {
                    near.saturating_sub(step)
                }
            }
            None if which < 192 => Duration::from_millis(u.arbitrary::<u32>()?.into()),
            None if which < 224 => Duration::from_micros(u.arbitrary::<u32>()?.into()),
            None => Duration::new(u.arbitrary()?, u.arbitrary::<u32>()? % 1_000_000_000),
        }))
    }
}

impl Fields {
    pub(super) fn read(bytes: &[u8]) -> Self {
        Self::arbitrary_take_rest(Unstructured::new(bytes)).expect("what is missing reads as 0")
    }

    /// Returns the fields of an accepted policy.
    pub(super) fn of(policy: Policy) -> Self {
        let run = policy.trip.consecutive.map(|n| Part::Run(Number(n)));
        let window = policy.trip.window.map(|window| {
            let cover = match window.span {
                Span::OfLast(n) => Cover::OfLast(Number(n)),
                Span::Within(time) => Cover::Within(Length(time)),
                _ => unimplemented!("a window that the fuzzer does not know"),
            };
            match window.threshold {
                Threshold::Failures(k) => Part::Failures(Number(k), cover),
                Threshold::Percent { percent, min_calls } => {
                    Part::Percent(Number(percent), Some(Number(min_calls)), cover)
                }
                _ => unimplemented!("a threshold that the fuzzer does not know"),
            }
        });
        let mut parts = run.into_iter().chain(window);
        let Backoff {
            base,
            factor,
            cap,
            jitter,
            seed,
            ..
        } = policy.backoff;
        Self {
            trips: Trips {
                first: parts.next().expect("an accepted policy has a trip"),
                others: parts.collect(),
                from_the_right: false,
                no_run: false,
            },
            open: Open::Backoff {
                base: Length(base),
                factor: Number(factor),
                cap: Length(cap),
                jitter: Number(jitter),
                seed,
            },
            probes: Number(policy.probes),
            probe_successes: Number(policy.probe_successes),
            probe_lease: policy.probe_lease.map(Length),
            slow_call: policy.slow_call.map(Length),
            on_drop: policy.on_drop.map(|on_drop| match on_drop {
                OnDrop::FailProbe => Dropped::FailProbe,
                OnDrop::Ignore => Dropped::Ignore,
                OnDrop::Failure => Dropped::Failure,
                OnDrop::FailureAfter(limit) => Dropped::After(Length(limit)),
                OnDrop::FailProbeAfter(limit) => Dropped::ProbeAfter(Length(limit)),
                _ => unimplemented!("a meaning that the fuzzer does not know"),
            }),
        }
    }

    /// Builds the policy with its setters.
    pub(super) fn policy(&self) -> Policy {
        let mut policy = Policy::new()
            .trip(self.trips.trip())
            .probes(self.probes.0)
            .probe_successes(self.probe_successes.0);
        policy = match self.open {
            Open::For(Length(time)) => policy.open_for(time),
            Open::Backoff {
                base,
                factor,
                cap,
                jitter,
                seed,
            } => {
                let backoff = Backoff::exponential(base.0, factor.0, cap.0).jitter(jitter.0);
                policy.backoff(seed.map_or(backoff, |seed| backoff.seed(seed)))
            }
        };
        if let Some(Length(lease)) = self.probe_lease {
            policy = policy.probe_lease(lease);
        }
        if let Some(Length(limit)) = self.slow_call {
            policy = policy.slow_call(limit);
        }
        if let Some(on_drop) = self.on_drop {
            policy = policy.on_drop(match on_drop {
                Dropped::FailProbe => OnDrop::FailProbe,
                Dropped::Ignore => OnDrop::Ignore,
                Dropped::Failure => OnDrop::Failure,
                Dropped::After(Length(limit)) => OnDrop::FailureAfter(limit),
                Dropped::ProbeAfter(Length(limit)) => OnDrop::FailProbeAfter(limit),
            });
        }
        policy
    }
}

impl Trips {
    fn trip(&self) -> Trip {
        let parts = || [self.first].into_iter().chain(self.others.iter().copied());
        let trip = if self.from_the_right {
            parts()
                .map(Part::trip)
                .rev()
                .reduce(|right, left| left.or(right))
        } else {
            parts().map(Part::trip).reduce(Trip::or)
        };
        let mut trip = trip.expect("there is a first one");
        if self.no_run {
            trip.consecutive = None;
        }
        trip
    }
}

impl Part {
    fn trip(self) -> Trip {
        match self {
            Self::Run(n) => Trip::consecutive(n.0),
            Self::Failures(k, Cover::OfLast(n)) => Trip::failures(k.0).of_last(n.0),
            Self::Failures(k, Cover::Within(time)) => Trip::failures(k.0).within(time.0),
            Self::Percent(percent, calls, cover) => {
                let percent = Trip::percent(percent.0);
                let percent = calls.map_or(percent, |calls| percent.min_calls(calls.0));
                match cover {
                    Cover::OfLast(n) => percent.of_last(n.0),
                    Cover::Within(time) => percent.within(time.0),
                }
            }
        }
    }
}

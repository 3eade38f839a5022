//! cutout, with its trips in the word.

use std::{hint::black_box, time::Duration};

use cutout::{Breaker, Builder, Error, Trip, clock};

use super::{Built, Calls, CallsAsync, Cycle, LONG, Subject};
use crate::dependency::Failed;

impl Calls for Breaker {
    #[inline]
    fn call(&self, dependency: impl FnOnce() -> Result<u64, Failed> + 'static) -> bool {
        !matches!(black_box(self.call(dependency)), Err(Error::Rejected(_)))
    }
}

impl CallsAsync for Breaker {
    #[inline]
    async fn call_async(
        &self,
        dependency: impl Future<Output = Result<u64, Failed>> + Send + 'static,
    ) -> bool {
        !matches!(
            black_box(self.call_async(dependency).await),
            Err(Error::Rejected(_))
        )
    }
}

/// The default clock at `TIMES` its speed, with the same cost of a reading.
///
/// By this clock, an open interval of ten milliseconds ends before the next call. Calls without
/// work, which are more frequent than real ones, are rare by this clock.
#[derive(Clone, Copy, Debug)]
pub struct FastClock<const TIMES: u64>;

impl<const TIMES: u64> clock::Clock for FastClock<TIMES> {
    #[inline]
    fn now(&self) -> u64 {
        clock::Monotonic.now().wrapping_mul(TIMES)
    }
}

/// A breaker with this trip.
pub fn builder(trip: Trip, built: Built) -> Builder {
    let builder = Breaker::builder().trip(trip);
    match built {
        Built::AsNamed | Built::Tolerant => builder.open_for(LONG),
        Built::Cycling(Duration::ZERO) => builder
            .open_for(Duration::from_millis(10))
            .clock(&FastClock::<1_000_000>),
        Built::Cycling(open_for) => builder.open_for(open_for),
    }
}

/// The default trip: five in a row, or ten of the last twenty.
#[derive(Debug)]
pub enum CutoutDefault {}

impl Subject for CutoutDefault {
    type Breaker = Breaker;
    const NAME: &'static str = "cutout, default";
    const POLICY: &'static str = "`consecutive(5).or(failures(10).of_last(20))`";
    const CYCLE: Option<Cycle> = Some(Cycle {
        failures: 5,
        successes: 1,
    });
    const CAN_TOLERATE_FAILURES: bool = false;

    fn build(built: Built) -> Breaker {
        builder(cutout::Policy::new().trip, built).build()
    }
}

/// Five failures in a row.
#[derive(Debug)]
pub enum CutoutInARow {}

impl Subject for CutoutInARow {
    type Breaker = Breaker;
    const NAME: &'static str = "cutout, 5 in a row";
    const POLICY: &'static str = "`consecutive(5)`";
    const CYCLE: Option<Cycle> = Some(Cycle {
        failures: 5,
        successes: 1,
    });

    fn build(built: Built) -> Breaker {
        let failures = if built == Built::Tolerant { 65_535 } else { 5 };
        builder(Trip::consecutive(failures), built).build()
    }
}

/// Half of the last twenty calls.
#[derive(Debug)]
pub enum CutoutOfLast {}

impl Subject for CutoutOfLast {
    type Breaker = Breaker;
    const NAME: &'static str = "cutout, 50 % of 20";
    const POLICY: &'static str = "`percent(50).of_last(20)`; in a cycle `percent(50).of_last(4)`";
    const CYCLE: Option<Cycle> = Some(Cycle {
        failures: 4,
        successes: 1,
    });
    const CAN_TOLERATE_FAILURES: bool = false;

    fn build(built: Built) -> Breaker {
        let calls = if matches!(built, Built::Cycling(_)) {
            4
        } else {
            20
        };
        builder(Trip::percent(50).of_last(calls), built).build()
    }
}

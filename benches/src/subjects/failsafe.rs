//! failsafe: a state and a policy under a `parking_lot` mutex, behind an `Arc`.

use std::{hint::black_box, iter, time::Duration};

use failsafe::{Config, Error, StateMachine, backoff, failure_policy};

use super::{Built, Calls, CallsAsync, Cycle, LONG, Subject};
use crate::dependency::Failed;

type Constant = iter::Repeat<Duration>;
type Machine<Policy> = StateMachine<Policy, ()>;

impl<Policy> Calls for Machine<Policy>
where
    Policy: failure_policy::FailurePolicy + Send + Sync + 'static,
{
    #[inline]
    fn call(&self, dependency: impl FnOnce() -> Result<u64, Failed> + 'static) -> bool {
        let result = failsafe::CircuitBreaker::call(self, dependency);
        !matches!(black_box(result), Err(Error::Rejected))
    }
}

impl<Policy> CallsAsync for Machine<Policy>
where
    Policy: failure_policy::FailurePolicy + Send + Sync + 'static,
{
    #[inline]
    async fn call_async(
        &self,
        dependency: impl Future<Output = Result<u64, Failed>> + Send + 'static,
    ) -> bool {
        let result = failsafe::futures::CircuitBreaker::call(self, dependency).await;
        !matches!(black_box(result), Err(Error::Rejected))
    }
}

fn open_for(built: Built) -> Constant {
    backoff::constant(match built {
        Built::AsNamed | Built::Tolerant => LONG,
        Built::Cycling(open_for) => open_for,
    })
}

/// Five failures in a row.
#[derive(Debug)]
pub enum FailsafeInARow {}

impl Subject for FailsafeInARow {
    type Breaker = Machine<failure_policy::ConsecutiveFailures<Constant>>;
    const NAME: &'static str = "failsafe, 5 in a row";
    const POLICY: &'static str =
        "`consecutive_failures(5)`, its strongest; as `Trip::consecutive(5)`";
    const CYCLE: Option<Cycle> = Some(Cycle {
        failures: 5,
        successes: 1,
    });

    fn build(built: Built) -> Self::Breaker {
        let failures = if built == Built::Tolerant {
            u32::MAX
        } else {
            5
        };
        let policy = failure_policy::consecutive_failures(failures, open_for(built));
        Config::new().failure_policy(policy).build()
    }
}

/// A success rate below one half, as an average over time.
#[derive(Debug)]
pub enum FailsafeOverTime {}

impl Subject for FailsafeOverTime {
    type Breaker = Machine<failure_policy::SuccessRateOverTimeWindow<Constant>>;
    const NAME: &'static str = "failsafe, 50 % over 10 s";
    const POLICY: &'static str = "`success_rate_over_time_window(0.5, 20, 10 s)`, a moving average; as `percent(50).within(10 s)`. It trips after 10 s at the earliest, and has no row for rejected calls";
    const CYCLE: Option<Cycle> = None;

    fn build(built: Built) -> Self::Breaker {
        let rate = if built == Built::Tolerant { 0.0 } else { 0.5 };
        let window = Duration::from_secs(10);
        let policy =
            failure_policy::success_rate_over_time_window(rate, 20, window, open_for(built));
        Config::new().failure_policy(policy).build()
    }
}

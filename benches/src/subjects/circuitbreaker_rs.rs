//! circuitbreaker-rs: six atomics and three mutexes, behind an `Arc`.

use std::hint::black_box;

use circuitbreaker_rs::{BreakerError, CircuitBreaker, DefaultPolicy};

use super::{Built, Calls, CallsAsync, Cycle, LONG, Subject};
use crate::dependency::Failed;

type Breaker = CircuitBreaker<DefaultPolicy, Failed>;

impl Calls for Breaker {
    #[inline]
    fn call(&self, dependency: impl FnOnce() -> Result<u64, Failed> + 'static) -> bool {
        !matches!(black_box(self.call(dependency)), Err(BreakerError::Open))
    }
}

impl CallsAsync for Breaker {
    #[inline]
    async fn call_async(
        &self,
        dependency: impl Future<Output = Result<u64, Failed>> + Send + 'static,
    ) -> bool {
        !matches!(
            black_box(self.call_async(|| dependency).await),
            Err(BreakerError::Open)
        )
    }
}

/// Five failures in a row, or half of all calls since it closed.
#[derive(Debug)]
pub enum CircuitbreakerRs {}

impl Subject for CircuitbreakerRs {
    type Breaker = Breaker;
    const NAME: &'static str = "circuitbreaker-rs, default";
    const POLICY: &'static str = "`consecutive_failures(5)` or `failure_threshold(0.5)` of all calls since it closed, its default; as the default of cutout";
    const CYCLE: Option<Cycle> = Some(Cycle {
        failures: 5,
        successes: 1,
    });

    fn build(built: Built) -> Breaker {
        let builder = CircuitBreaker::<DefaultPolicy, Failed>::builder()
            .probe_interval(1)
            .consecutive_successes(1)
            .cooldown(LONG);
        match built {
            Built::AsNamed => builder.build(),
            // Above all rates: it compares by `>=`.
            Built::Tolerant => builder
                .failure_threshold(1.1)
                .consecutive_failures(u64::MAX)
                .build(),
            Built::Cycling(open_for) => builder.cooldown(open_for).build(),
        }
    }
}

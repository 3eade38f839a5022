//! breaker-machines: a state machine with a store of events. Its `call` takes `&mut self` and a
//! boxed closure.

use std::{
    hint::black_box,
    sync::{Mutex, PoisonError},
};

use breaker_machines::{AsyncCircuitBreaker, CircuitBreaker, CircuitBuilder, CircuitError};

use super::{Built, Calls, CallsAsync, Cycle, LONG, Subject};
use crate::dependency::Failed;

impl Calls for Mutex<CircuitBreaker> {
    #[inline]
    fn call(&self, dependency: impl FnOnce() -> Result<u64, Failed> + 'static) -> bool {
        let mut breaker = self.lock().unwrap_or_else(PoisonError::into_inner);
        let result = black_box(breaker.call(dependency));
        matches!(result, Ok(_) | Err(CircuitError::Execution(_)))
    }
}

impl CallsAsync for AsyncCircuitBreaker {
    #[inline]
    async fn call_async(
        &self,
        dependency: impl Future<Output = Result<u64, Failed>> + Send + 'static,
    ) -> bool {
        let result = black_box(self.call(|| dependency).await);
        matches!(result, Ok(_) | Err(CircuitError::Execution(_)))
    }
}

/// Half of the calls within ten seconds. Any failure rate would trip its default, five failures in
/// a minute.
#[must_use]
pub fn builder(built: Built) -> CircuitBuilder {
    let builder = CircuitBuilder::new("bench")
        .success_threshold(1)
        .failure_window_secs(10.0)
        .disable_failure_threshold();
    match built {
        Built::AsNamed => builder
            .failure_rate(0.5)
            .minimum_calls(20)
            .half_open_timeout_secs(LONG.as_secs_f64()),
        Built::Tolerant => builder.failure_threshold(usize::MAX),
        Built::Cycling(open_for) => builder
            .failure_threshold(5)
            .half_open_timeout_secs(open_for.as_secs_f64()),
    }
}

/// Half of the calls within ten seconds.
#[derive(Debug)]
pub enum BreakerMachines {}

impl Subject for BreakerMachines {
    type Breaker = Mutex<CircuitBreaker>;
    const NAME: &'static str = "breaker-machines, 50 % in 10 s";
    const POLICY: &'static str = "`failure_rate(0.5).minimum_calls(20)` in 10 s, of at most the 1000 events that it stores, in a cycle `failure_threshold(5)`; as `percent(50).within(10 s)`. Its `call` takes `&mut self`, so that it needs a mutex";
    // Closing does not clear its window, so the next failure trips it again.
    const CYCLE: Option<Cycle> = Some(Cycle {
        failures: 1,
        successes: 1,
    });

    fn build(built: Built) -> Self::Breaker {
        Mutex::new(builder(built).build())
    }
}

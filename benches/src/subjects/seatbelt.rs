//! seatbelt: a layer of its own framework, with a mutex around counts of the last ten seconds.

use std::time::Duration;

use layered::{Execute, Service, Stack};
use seatbelt::{RecoveryInfo, ResilienceContext, breaker::Breaker};
use tick::Clock;

use super::LONG;
use crate::dependency::Failed;

/// Half of the calls within ten seconds, around a service that `respond` answers. Call it on a
/// runtime of tokio, of which it takes the clock.
pub fn around<R, F>(respond: R) -> impl Service<u64, Out = Result<u64, Failed>> + 'static
where
    R: Fn(u64) -> F + Send + Sync + 'static,
    F: Future<Output = Result<u64, Failed>> + Send + 'static,
{
    let context = ResilienceContext::new(Clock::new_tokio()).name("bench");
    let layer = Breaker::layer("bench", &context)
        .failure_threshold(0.5)
        .min_throughput(20)
        .sampling_duration(Duration::from_secs(10))
        .break_duration(LONG)
        .recovery_with(|result: &Result<u64, Failed>, _| match result {
            Ok(_) => RecoveryInfo::never(),
            Err(Failed) => RecoveryInfo::retry(),
        })
        .rejected_input_error(|_, _| Failed);
    (layer, Execute::new(respond)).into_service()
}

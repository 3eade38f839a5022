//! tower-resilience: a layer with a tokio mutex, locked before and after the call.

use tower_resilience_circuitbreaker::{
    CircuitBreakerConfigBuilder, CircuitBreakerLayer, DefaultClassifier,
};

use super::LONG;

/// Five failures in a row, the cheapest policy of tower-resilience. Its count window never slides,
/// and its time window stores every call.
#[must_use]
pub fn layer() -> CircuitBreakerConfigBuilder<DefaultClassifier> {
    CircuitBreakerLayer::builder()
        .consecutive_failures(5)
        .permitted_calls_in_half_open(1)
        .wait_duration_in_open(LONG)
}

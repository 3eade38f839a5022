//! [`service_unavailable`]: a rejection as an HTTP response.

use http::{HeaderValue, Response, StatusCode, header::RETRY_AFTER};

use crate::Rejected;

/// Converts a rejection to an HTTP response, for
/// [`BreakerLayer::respond_with`](super::BreakerLayer::respond_with).
///
/// The response is a 503 with an empty body. It has a `Retry-After` in whole seconds, rounded up,
/// if the wait is known. Its extensions contain the [`Rejected`], for outer layers.
///
/// ```
/// use cutout::{Breaker, tower::service_unavailable};
/// use std::time::Duration;
///
/// static BILLING: Breaker = Breaker::new();
///
/// BILLING.force_open_for(Duration::from_secs(15));
/// let response = service_unavailable::<String>(BILLING.peek().unwrap_err());
/// assert_eq!(response.status(), 503);
/// assert_eq!(response.headers()["retry-after"], "15");
/// ```
#[must_use]
pub fn service_unavailable<B: Default>(rejected: Rejected) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    if let Some(seconds) = rejected.retry_after_secs() {
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response.extensions_mut().insert(rejected);
    response
}

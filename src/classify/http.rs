//! Classifiers for responses of the `http` crate: HTTP and gRPC.

use core::time::Duration;

use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{DATE, RETRY_AFTER},
};

use super::{Outcome, grpc_code, http_status};

/// Classifies the result of an HTTP call. An error is a failure; a response is classified by
/// [`http_head`].
///
/// ```
/// use cutout::{Outcome, classify};
/// use std::{io, time::Duration};
///
/// let response = http::Response::builder()
///     .status(503)
///     .header("Retry-After", "120")
///     .body(())
///     .unwrap();
/// let outcome = classify::http_response(&Ok::<_, io::Error>(response));
/// assert_eq!(outcome, Outcome::FailureFor(Duration::from_secs(120)));
/// ```
pub fn http_response<B, E>(result: &Result<Response<B>, E>) -> Outcome {
    match result {
        Ok(response) => http_head(response.status(), response.headers()),
        Err(_) => Outcome::Failure,
    }
}

/// Classifies a response by its status and headers: [`http_status`], and for a failure also the
/// dependency's `Retry-After`.
///
/// `Retry-After` is parsed as seconds, or as a date if the response has a `Date` header. The wait
/// is then the difference of the two dates, both by the dependency's clock; the local clock is not
/// used. A value that is neither is ignored.
///
/// Works with `reqwest`, whose status and headers are types of the `http` crate:
///
/// ```
/// use cutout::{Breaker, Outcome, classify};
///
/// static QUOTES: Breaker = Breaker::new();
///
/// # async fn quote(request: reqwest::RequestBuilder) {
/// let response = QUOTES.call_async_with(request.send(), |result| match result {
///     Ok(response) => classify::http_head(response.status(), response.headers()),
///     Err(_) => Outcome::Failure,
/// });
/// # response.await.unwrap();
/// # }
/// ```
#[must_use]
pub fn http_head(status: StatusCode, headers: &HeaderMap) -> Outcome {
    match (http_status(status.as_u16()), retry_after(headers)) {
        (Outcome::Failure, Some(hint)) => Outcome::FailureFor(hint),
        (outcome, _) => outcome,
    }
}

/// Classifies the result of a gRPC call. An error is a failure. A response head with a
/// `grpc-status` is classified by [`grpc_code`], a head without one by [`http_head`].
///
/// A response without messages, such as most errors of unary calls, has its status in the head. A
/// response with messages has its status in the trailers. A layer that
/// [holds its permit](crate::tower::BreakerLayer::hold_body) until then reads it there.
///
/// ```
/// use cutout::{Outcome, classify};
///
/// let response = http::Response::builder().header("grpc-status", "14").body(()).unwrap();
/// let outcome = classify::grpc_response(&Ok::<_, std::io::Error>(response));
/// assert_eq!(outcome, Outcome::Failure);
/// ```
pub fn grpc_response<B, E>(result: &Result<Response<B>, E>) -> Outcome {
    match result {
        Ok(response) => match grpc_status(response.headers()) {
            Some(code) => grpc_code(code),
            None => http_response(result),
        },
        Err(_) => Outcome::Failure,
    }
}

/// Returns the status of a head or of trailers. A value that is not a number becomes -1, which is
/// not a code.
pub(crate) fn grpc_status(headers: &HeaderMap) -> Option<i32> {
    let value = headers.get("grpc-status")?;
    Some(text(value).and_then(|code| code.parse().ok()).unwrap_or(-1))
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers.get(RETRY_AFTER)?)?;
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        return seconds(value);
    }
    let then = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(text(headers.get(DATE)?)?).ok()?;
    // A date in the past is a wait of zero.
    Some(then.duration_since(now).unwrap_or_default())
}

/// Parses digits as seconds. A number beyond `u64` saturates.
fn seconds(digits: &str) -> Option<Duration> {
    (!digits.is_empty()).then(|| Duration::from_secs(digits.parse().unwrap_or(u64::MAX)))
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok().map(str::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Headers = [(&'static str, &'static str)];

    fn response(status: u16, headers: &Headers) -> http::Result<Response<()>> {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(())
    }

    fn outcome(status: u16, headers: &Headers) -> Outcome {
        http_response(&response(status, headers))
    }

    fn hint(headers: &Headers) -> Option<Duration> {
        match outcome(503, headers) {
            Outcome::FailureFor(hint) => Some(hint),
            Outcome::Failure => None,
            outcome => panic!("{outcome:?}"),
        }
    }

    #[test]
    fn seconds_are_read_whatever_their_number() {
        let hint = |value| hint(&[("retry-after", value)]);
        assert_eq!(hint("121"), Some(Duration::from_secs(121)));
        assert_eq!(hint(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(hint("0"), Some(Duration::ZERO));
        assert_eq!(
            hint("99999999999999999999"),
            Some(Duration::from_secs(u64::MAX))
        );
    }

    #[test]
    fn what_is_no_wait_is_passed_over() {
        for value in ["", "-1", "+1", "1.5", "soon"] {
            assert_eq!(hint(&[("retry-after", value)]), None, "{value:?}");
        }
        assert_eq!(hint(&[]), None);
    }

    #[test]
    fn a_date_is_as_far_off_as_the_clock_of_the_dependency_says() {
        const NOON: &str = "Sun, 06 Nov 1994 12:00:00 GMT";
        const LATER: &str = "Sun, 06 Nov 1994 12:01:30 GMT";
        assert_eq!(
            hint(&[("date", NOON), ("retry-after", LATER)]),
            Some(Duration::from_secs(90))
        );
        assert_eq!(
            hint(&[("date", LATER), ("retry-after", NOON)]),
            Some(Duration::ZERO)
        );
        assert_eq!(hint(&[("retry-after", LATER)]), None);
        assert_eq!(hint(&[("date", "noon"), ("retry-after", LATER)]), None);
    }

    #[test]
    fn a_grpc_status_outweighs_the_http_status() {
        let outcome = |status, headers: &Headers| grpc_response(&response(status, headers));
        let outcome_of = |code| outcome(200, &[("grpc-status", code)]);
        assert_eq!(outcome_of("0"), Outcome::Success);
        assert_eq!(outcome_of("5"), Outcome::Success);
        assert_eq!(outcome_of("1"), Outcome::Ignored);
        assert_eq!(outcome_of("14"), Outcome::Failure);
        assert_eq!(outcome_of("well"), Outcome::Failure);
        assert_eq!(outcome(200, &[]), Outcome::Success);
        assert_eq!(outcome(502, &[]), Outcome::Failure);
        let broken = Err::<Response<()>, _>("broken");
        assert_eq!(grpc_response(&broken), Outcome::Failure);
    }

    #[test]
    fn only_a_failure_takes_the_hint() {
        let header = [("retry-after", "3")];
        assert_eq!(
            outcome(429, &header),
            Outcome::FailureFor(Duration::from_secs(3))
        );
        assert_eq!(outcome(301, &header), Outcome::Success);
        assert_eq!(outcome(404, &header), Outcome::Success);
    }
}

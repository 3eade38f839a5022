//! Outcomes of calls, and classifiers that map results to them.

#[cfg(feature = "http")]
mod http;

use core::time::Duration;

#[cfg(feature = "tower")]
pub(crate) use self::http::grpc_status;
#[cfg(feature = "http")]
pub use self::http::{grpc_response, http_head, http_response};

/// Outcome of a call, as the breaker counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The dependency is healthy. A successful probe counts towards recovery.
    Success,
    /// The dependency failed. A failed probe reopens the breaker.
    Failure,
    /// The dependency failed and gave a duration (`Retry-After`). If this failure trips or reopens
    /// the breaker, it opens for at least this duration. If a later failure trips it, the remainder
    /// of the longest hint applies. A hint of more than an hour counts as one hour.
    FailureFor(Duration),
    /// The call says nothing about the dependency. A probe gives its slot back, and the next call
    /// probes.
    Ignored,
}

impl Outcome {
    /// Returns true for a failure, with or without a hint.
    #[inline]
    pub(crate) const fn is_failure(self) -> bool {
        matches!(self, Self::Failure | Self::FailureFor(_))
    }
}

/// Classifies `Ok` as a success and `Err` as a failure, as [`Breaker::call`](crate::Breaker::call)
/// does.
#[inline]
pub const fn result<T, E>(result: &Result<T, E>) -> Outcome {
    if result.is_ok() {
        Outcome::Success
    } else {
        Outcome::Failure
    }
}

/// Classifies an HTTP status.
///
/// 5xx, 429 and numbers that are not a status are failures. All other statuses are **successes**,
/// including the other 4xx: the dependency is alive and the request was wrong.
///
/// ```
/// use cutout::{Outcome, classify};
///
/// assert_eq!(classify::http_status(503), Outcome::Failure);
/// assert_eq!(classify::http_status(429), Outcome::Failure);
/// assert_eq!(classify::http_status(404), Outcome::Success);
/// ```
#[must_use]
pub const fn http_status(status: u16) -> Outcome {
    match status {
        100..=428 | 430..=499 => Outcome::Success,
        _ => Outcome::Failure,
    }
}

/// Classifies a gRPC status code.
///
/// Codes that `google.rpc.Code` maps to HTTP 5xx or 429 are failures: unknown (2), deadline
/// exceeded (4), resource exhausted (8), unimplemented (12), internal (13), unavailable (14), data
/// loss (15). A number that is not a code is also a failure. Cancelled (1) is ignored, since the
/// caller hung up. The remaining codes are successes: the dependency is alive.
///
/// tonic reports its own timeouts as cancelled. A `Status` that has a source did not come from the
/// dependency: classify it as a failure.
///
/// ```
/// use cutout::{Outcome, classify};
///
/// assert_eq!(classify::grpc_code(14), Outcome::Failure);
/// assert_eq!(classify::grpc_code(5), Outcome::Success);
/// assert_eq!(classify::grpc_code(1), Outcome::Ignored);
/// ```
#[must_use]
pub const fn grpc_code(code: i32) -> Outcome {
    match code {
        // ok, invalid argument, not found, already exists, permission denied, failed precondition,
        // aborted, out of range, unauthenticated
        0 | 3 | 5 | 6 | 7 | 9 | 10 | 11 | 16 => Outcome::Success,
        1 => Outcome::Ignored,
        _ => Outcome::Failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_status_that_blames_the_dependency_is_a_failure() {
        for status in 0..=1_000 {
            let blames = !(100..=499).contains(&status) || status == 429;
            let expected = if blames {
                Outcome::Failure
            } else {
                Outcome::Success
            };
            assert_eq!(http_status(status), expected, "{status}");
        }
    }

    #[test]
    fn every_grpc_code_is_classified() {
        let failures: Vec<i32> = (-1..=20)
            .filter(|code| grpc_code(*code) == Outcome::Failure)
            .collect();
        assert_eq!(failures, [-1, 2, 4, 8, 12, 13, 14, 15, 17, 18, 19, 20]);
    }
}

//! What an outcome means: success, failure, or nothing.

#[cfg(feature = "http")]
mod http;

use core::time::Duration;

#[cfg(feature = "tower")]
pub(crate) use self::http::grpc_status;
#[cfg(feature = "http")]
pub use self::http::{grpc_response, http_head, http_response};

/// How a call ended, as the breaker sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The partner is well. A probe that succeeds counts towards recovery.
    Success,
    /// The partner failed. A probe that fails reopens the breaker.
    Failure,
    /// The dependency failed and said for how long (`Retry-After`): if this trips or reopens the breaker,
    /// it opens for at least this long. If a later failure trips it, what is left of the longest hint counts. A hint
    /// of more than an hour counts as an hour.
    FailureFor(Duration),
    /// The call proves nothing about the partner. A probe gives its place back and the next call probes.
    Ignored,
}

/// `Ok` is a success, `Err` a failure: how [`Breaker::call`](crate::Breaker::call) classifies.
#[inline]
pub const fn result<T, E>(result: &Result<T, E>) -> Outcome {
    if result.is_ok() {
        Outcome::Success
    } else {
        Outcome::Failure
    }
}

/// What an HTTP status says about the partner.
///
/// 5xx and 429 are failures, and so is what is no status at all. Everything else is a **success**, other
/// 4xx too: the partner is alive and it was the request that was wrong.
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

/// What a gRPC status code says about the partner.
///
/// Codes that `google.rpc.Code` maps to HTTP 5xx or 429 are failures: unknown (2), deadline exceeded (4),
/// resource exhausted (8), unimplemented (12), internal (13), unavailable (14), data loss (15); and so is
/// a number that is no code. Cancelled (1) is ignored: it was the caller who hung up. The rest are
/// successes: the partner is alive.
///
/// tonic reports a timeout of its own as cancelled: a `Status` that has a source is no answer of the partner's,
/// and a failure.
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
    fn only_a_status_that_blames_the_partner_is_a_failure() {
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

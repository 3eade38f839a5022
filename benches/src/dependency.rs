//! The dependency that all benches call.

use std::{error, fmt, hint::black_box};

/// Error of a failed call.
#[derive(Clone, Copy, Debug)]
pub struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed")
    }
}

impl error::Error for Failed {}

/// The dependency: the last `FAILURES` of each `OF` calls fail. If the first ones failed, an
/// average over time such as failsafe's would trip, since it weighs the first call after a pause
/// more.
///
/// # Errors
///
/// Returns [`Failed`] in those calls.
#[inline]
pub fn dependency<const FAILURES: u64, const OF: u64>(call: u64) -> Result<u64, Failed> {
    if call % OF + FAILURES >= OF {
        Err(Failed)
    } else {
        Ok(black_box(call))
    }
}

/// Failure rate of the calls in a bench, or their rejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// No call fails.
    Healthy,
    /// 0.1 % of the calls fail.
    OneInAThousandFails,
    /// 1 % of the calls fail.
    OneInAHundredFails,
    /// 10 % of the calls fail.
    OneInTenFails,
    /// 999 of 1000 calls fail, with a policy that does not trip.
    NearlyAllFail,
    /// No call is made, since the breaker is open.
    Rejected,
}

impl Path {
    /// All paths.
    pub const ALL: [Self; 6] = [
        Self::Healthy,
        Self::OneInAThousandFails,
        Self::OneInAHundredFails,
        Self::OneInTenFails,
        Self::NearlyAllFail,
        Self::Rejected,
    ];

    /// Name of the path in the results.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::OneInAThousandFails => "one in a thousand fails",
            Self::OneInAHundredFails => "one in a hundred fails",
            Self::OneInTenFails => "one in ten fails",
            Self::NearlyAllFail => "nearly all fail, none trips",
            Self::Rejected => "rejected",
        }
    }
}

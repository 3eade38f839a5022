//! What is called.

use std::{error, fmt, hint::black_box};

/// What a call fails with.
#[derive(Clone, Copy, Debug)]
pub struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed")
    }
}

impl error::Error for Failed {}

/// The dependency: `FAILURES` of `OF` calls fail, the last of them. Not the first: after a pause that weighs more
/// than others in an average over time such as failsafe's, which would trip.
///
/// # Errors
///
/// In those calls.
#[inline]
pub fn dependency<const FAILURES: u64, const OF: u64>(call: u64) -> Result<u64, Failed> {
    if call % OF + FAILURES >= OF {
        Err(Failed)
    } else {
        Ok(black_box(call))
    }
}

/// What happens to the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// None fails.
    Healthy,
    /// 0.1 % fail.
    OneInAThousandFails,
    /// 1 % fail.
    OneInAHundredFails,
    /// 10 % fail.
    OneInTenFails,
    /// All but one in a thousand fail, and the breaker is so patient that it does not trip.
    NearlyAllFail,
    /// None is made, as the breaker is open.
    Rejected,
}

impl Path {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Healthy,
        Self::OneInAThousandFails,
        Self::OneInAHundredFails,
        Self::OneInTenFails,
        Self::NearlyAllFail,
        Self::Rejected,
    ];

    /// What the results call it.
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

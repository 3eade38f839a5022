//! [`Admission`]: the state of an admitted call.

use crate::machine::word::Period;

/// The admission of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admission {
    /// The period that admitted the call. An outcome after that period is stale.
    pub(crate) period: Period,
    /// The time of admission in nanoseconds, if the rules are
    /// [`timed`](crate::machine::rules::Rules::timed).
    pub(crate) admitted_at: u64,
}

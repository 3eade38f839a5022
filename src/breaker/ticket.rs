//! What an admitted call needs to remember.

use crate::machine::word::Period;

/// The admission of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    /// The period that the call was admitted in: an outcome that comes after it is stale.
    pub(crate) period: Period,
    /// When, in nanoseconds, if the rules are [`timed`](crate::machine::rules::Rules::timed).
    pub(crate) since: u64,
}

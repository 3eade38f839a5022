//! The slot of an external window, and a failure that the window records.

use super::{
    super::{hints::Hints, rules::Rules, step::TimeSample, word::Period},
    external::ExternalWindow,
};

/// The slot of an external window. A breaker allocates the window at its first use, a model at
/// once.
pub(crate) trait Slot {
    /// The window, if it is allocated.
    fn get(&self) -> Option<&ExternalWindow>;

    /// The window of these rules, allocated if it is not yet; `None` for a trip in the word.
    fn get_or_make(&self, rules: &Rules) -> Option<&ExternalWindow>;

    /// The number of the calling thread, which chooses its shard. Any number will do for a thread
    /// that has none.
    fn thread(&self) -> usize;

    /// The number of the calling thread, which gets one if it has none.
    fn number_thread(&self) -> usize;
}

/// A failure to record.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(feature = "std"),
    expect(dead_code, reason = "no window records it")
)]
pub(crate) struct FailedCall<'a> {
    /// The closed period in which its call was admitted.
    pub(crate) period: Period,
    pub(crate) moment: TimeSample,
    /// The hints of the breaker, this failure's included. Read once the trip is decided.
    pub(crate) hints: &'a Hints,
}

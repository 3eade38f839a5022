//! [`Admission`]: the state of an admitted call.

use crate::machine::word::{Period, Word};

/// The admission of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admission {
    /// The period that admitted the call. An outcome after that period is stale.
    pub(crate) period: Period,
    /// The time of admission in nanoseconds, if the rules are
    /// [`timed`](crate::machine::rules::Rules::timed).
    pub(crate) admitted_at: u64,
}

impl Admission {
    /// The admission of a call by this word. Its time of admission is not known.
    #[inline]
    pub(crate) const fn untimed(word: Word) -> Self {
        Self {
            period: word.period(),
            admitted_at: 0,
        }
    }
}

//! Without `std` there is no window beside the word: its trips are refused when a breaker is built.

use crate::{
    Breaker,
    machine::{tally::Count, word::Word},
};

use super::ticket::Ticket;

#[expect(clippy::unused_self, reason = "the same face as with `std`")]
impl Breaker {
    pub(super) const fn succeed_beside(
        &self,
        _seen: Word,
        _ticket: Ticket,
        now: Option<u64>,
    ) -> Option<u64> {
        now
    }

    pub(super) const fn count_beside(&self, _word: Word, _now: u64) -> Option<Count> {
        None
    }
}

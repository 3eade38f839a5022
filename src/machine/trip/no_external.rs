//! The external window without `std`: none. The builder refuses trips that need one.

use super::{
    super::{
        atomic_word::{AtomicWord, Decided},
        rules::Rules,
        step::Recorded,
        word::Word,
    },
    Count,
    slot::FailedCall,
};

/// Whether windows outside the word exist.
pub(crate) const EXIST: bool = false;

/// An external window, of which no value exists. The interface is the same as with `std`.
#[derive(Debug)]
pub(crate) enum ExternalWindow {}

impl ExternalWindow {
    pub(crate) const fn fail(
        &self,
        _atomic_word: &AtomicWord,
        _seen: Word,
        _failure: FailedCall<'_>,
        _rules: &Rules,
    ) -> Decided<Option<Count>, Recorded> {
        match *self {}
    }

    pub(crate) const fn succeed(
        &self,
        _thread: usize,
        _atomic_word: &AtomicWord,
        _seen: Word,
        _now: u64,
    ) {
        match *self {}
    }

    pub(crate) const fn succeed_untimed(&self, _thread: usize, _generation: u16) -> bool {
        match *self {}
    }

    pub(crate) const fn count(&self, _word: Word, _now: u64) -> Count {
        match *self {}
    }
}

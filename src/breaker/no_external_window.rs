//! The slot of the external window without `std`: always empty.

use crate::machine::{
    rules::Rules,
    trip::{external::ExternalWindow, slot::Slot},
};

/// The slot of an external window, of which no value exists.
pub(super) struct LazyWindow;

impl LazyWindow {
    pub(super) const fn new() -> Self {
        Self
    }
}

impl Slot for LazyWindow {
    fn get(&self) -> Option<&ExternalWindow> {
        None
    }

    fn get_or_make(&self, _: &Rules) -> Option<&ExternalWindow> {
        None
    }

    fn thread(&self) -> usize {
        0
    }

    fn number_thread(&self) -> usize {
        0
    }
}

//! The slot of the external window, and of the counters of calls. Both are allocated at their first
//! use, together.

use std::{boxed::Box, sync::OnceLock};

use crate::machine::{
    rules::Rules,
    trip::{external::ExternalWindow, slot::Slot},
};

use super::{
    call_counts::Counters,
    shard::{self, number_thread, thread_number},
};

/// The slot of an external window and of counters. The first failure fills it; for time buckets and
/// counters, the first call that ends.
pub(super) struct LazyWindow(OnceLock<Parts>);

/// What is allocated.
enum Parts {
    Nothing,
    Window(Box<ExternalWindow>),
    Counted(Box<(Counters, Option<Box<ExternalWindow>>)>),
}

impl LazyWindow {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The counters, if they are allocated.
    #[inline]
    pub(super) fn counters(&self) -> Option<&Counters> {
        match self.0.get()? {
            Parts::Counted(parts) => Some(&parts.0),
            Parts::Nothing | Parts::Window(_) => None,
        }
    }

    /// The counters of a breaker that counts its calls, allocated if they are not yet. Each call is
    /// counted before its outcome is recorded, so there is no window without counters.
    pub(super) fn counters_or_make(&self, rules: &Rules) -> Option<&Counters> {
        self.0.get_or_init(|| {
            let window = ExternalWindow::new(rules, shard::shards);
            Parts::Counted(Box::new((Counters::new(rules), window.map(Box::new))))
        });
        self.counters()
    }
}

impl Slot for LazyWindow {
    #[inline]
    fn get(&self) -> Option<&ExternalWindow> {
        match self.0.get()? {
            Parts::Window(window) => Some(window),
            Parts::Counted(parts) => parts.1.as_deref(),
            Parts::Nothing => None,
        }
    }

    fn get_or_make(&self, rules: &Rules) -> Option<&ExternalWindow> {
        self.0.get_or_init(|| {
            let window = ExternalWindow::new(rules, shard::shards);
            window.map_or(Parts::Nothing, |window| Parts::Window(Box::new(window)))
        });
        self.get()
    }

    #[inline]
    fn thread(&self) -> usize {
        thread_number().unwrap_or(0)
    }

    fn number_thread(&self) -> usize {
        number_thread()
    }
}

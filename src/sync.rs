//! The only door to the atomics: whoever checks the machine puts other ones behind it.

#[cfg(feature = "watch")]
pub(crate) use atomic_wait::wait;
#[cfg(feature = "keyed")]
pub(crate) use core::sync::atomic::AtomicBool;
#[cfg(feature = "watch")]
pub(crate) use core::sync::atomic::AtomicU32;
#[cfg(feature = "std")]
pub(crate) use core::sync::atomic::fence;
pub(crate) use core::sync::atomic::{AtomicU64, Ordering};
#[cfg(feature = "std")]
pub(crate) use crossbeam_utils::CachePadded;
#[cfg(feature = "std")]
pub(crate) use std::sync::Mutex;

/// Wakes all threads that wait on this atomic.
#[cfg(feature = "watch")]
pub(crate) fn wake_all(atomic: &AtomicU32) {
    atomic_wait::wake_all(core::ptr::from_ref(atomic));
}

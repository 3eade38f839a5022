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

/// Leaves the word to the thread that has just won it, so that both don't pull its line to and fro.
///
/// So many pauses as let a thread make a call or two: with two threads that write at nine calls in ten, that took
/// half the time of none (`benches`, one in ten fails; 7 to 40 were tried on Zen, where a pause is short).
#[cold]
pub(crate) fn pause() {
    for _ in 0..15 {
        core::hint::spin_loop();
    }
}

/// Wakes all threads that wait on this atomic.
#[cfg(feature = "watch")]
pub(crate) fn wake_all(atomic: &AtomicU32) {
    atomic_wait::wake_all(core::ptr::from_ref(atomic));
}

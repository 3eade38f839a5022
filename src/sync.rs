//! The single import of atomics. Model checkers replace this module with their own atomics.

#[cfg(feature = "watch")]
pub(crate) use atomic_wait::wait;
#[cfg(feature = "watch")]
pub(crate) use core::sync::atomic::AtomicU32;
#[cfg(feature = "std")]
pub(crate) use core::sync::atomic::fence;
pub(crate) use core::sync::atomic::{AtomicU64, Ordering};
#[cfg(feature = "std")]
pub(crate) use crossbeam_utils::CachePadded;
#[cfg(feature = "std")]
pub(crate) use std::sync::Mutex;

/// Backs off after a failed CAS, so that the cache line does not bounce.
///
/// The number of pauses is about the length of one or two calls. With two threads that write at 90
/// % of calls, this halved the run time (`benches`, 10 % failures). Values from 7 to 40 were tried
/// on Zen, whose pause is short.
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

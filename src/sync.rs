//! The only door to the atomics: whoever checks the machine puts other ones behind it.

#[cfg(feature = "keyed")]
pub(crate) use core::sync::atomic::AtomicBool;
#[cfg(feature = "std")]
pub(crate) use core::sync::atomic::fence;
pub(crate) use core::sync::atomic::{AtomicU64, Ordering};
#[cfg(feature = "std")]
pub(crate) use crossbeam_utils::CachePadded;
#[cfg(feature = "std")]
pub(crate) use std::sync::Mutex;

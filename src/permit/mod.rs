//! The right to make one call: [`Permit`] for a borrow, [`OwnedPermit`] for an `Arc`.
//!
//! Both wrap a [`RawPermit`]. So the compiler's messages and the documentation show no type
//! parameter, and the fields of a permit can change.

mod raw;

use core::fmt;
#[cfg(feature = "std")]
use std::sync::Arc;

use crate::{Breaker, Outcome, Recorded, Rejected, classify};

pub(crate) use raw::{FramePermit, RawPermit};

/// The right to make one call, from [`Breaker::try_acquire`].
///
/// A permit ends exactly once. A report of the outcome consumes the permit. Otherwise the permit is
/// dropped, and the policy's [`on_drop`](crate::Policy::on_drop) decides the outcome. **In async
/// Rust an outer timeout is a drop.** Put the timeout inside, where the breaker sees its error, or
/// choose the outcome of a drop. A permit that is dropped by a panic is a failure.
///
/// ```
/// use cutout::Breaker;
///
/// static PRICES: Breaker = Breaker::new();
///
/// fn quote() -> Result<u32, Box<dyn std::error::Error>> {
///     let permit = PRICES.try_acquire()?;
///     Ok(permit.observe("42".parse())?)
/// }
/// assert_eq!(quote().unwrap(), 42);
/// ```
///
/// A second report does not compile:
///
/// ```compile_fail,E0382
/// # let breaker = cutout::Breaker::new();
/// let permit = breaker.try_acquire().unwrap();
/// permit.success();
/// permit.failure();
/// ```
///
/// The same code with one report less compiles:
///
/// ```
/// # let breaker = cutout::Breaker::new();
/// let permit = breaker.try_acquire().unwrap();
/// permit.success();
/// ```
#[must_use = "a permit that is dropped at once counts as a dropped call; end it with its outcome"]
pub struct Permit<'a>(RawPermit<&'a Breaker>);

impl<'a> Permit<'a> {
    #[inline]
    pub(crate) fn acquire(breaker: &'a Breaker) -> Result<Self, Rejected> {
        match RawPermit::acquire(breaker) {
            Ok(permit) => Ok(Self(permit)),
            Err(rejected) => Err(rejected),
        }
    }

    /// Reports a result, `Ok` as a success and `Err` as a failure, and returns it.
    ///
    /// # Errors
    ///
    /// Returns the error of the result.
    #[inline]
    pub fn observe<T, E>(self, result: Result<T, E>) -> Result<T, E> {
        self.observe_with(result, classify::result)
    }

    /// Reports the outcome that `classify` returns for a result, and returns the result. A panic in
    /// `classify` fails the call.
    ///
    /// # Errors
    ///
    /// Returns the error of the result.
    #[inline]
    pub fn observe_with<T, E>(
        self,
        result: Result<T, E>,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> Result<T, E> {
        self.0.observe(&result, classify);
        result
    }

    /// Reports a success.
    #[inline]
    pub fn success(self) {
        self.record(Outcome::Success);
    }

    /// Reports a failure.
    #[inline]
    pub fn failure(self) {
        self.record(Outcome::Failure);
    }

    /// Reports that the call says nothing about the dependency. A probe gives its slot back.
    #[inline]
    pub fn ignore(self) {
        self.record(Outcome::Ignored);
    }

    /// Reports an outcome, and returns how the breaker recorded it. Most callers ignore this: even
    /// the call that trips the breaker returns its own result.
    #[expect(
        clippy::must_use_candidate,
        reason = "a report may leave the answer unread"
    )]
    #[inline]
    pub fn record(self, outcome: Outcome) -> Recorded {
        self.0.record(outcome)
    }

    /// Returns true if the call is a probe: one of the few calls of a half-open breaker.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.0.is_probe()
    }

    /// Returns the generation of the period that admitted the call. An outcome that is reported
    /// after the end of that period is stale and changes nothing.
    #[must_use]
    pub fn generation(&self) -> u16 {
        self.0.generation()
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_as("Permit", f)
    }
}

/// A [`Permit`] that keeps its breaker alive, for a spawned task. Created by
/// [`Breaker::try_acquire_owned`].
///
/// ```
/// use cutout::Breaker;
/// use std::{sync::Arc, thread};
///
/// let breaker = Arc::new(Breaker::new());
/// let permit = breaker.try_acquire_owned().unwrap();
/// thread::spawn(move || permit.success()).join().unwrap();
/// ```
#[cfg(feature = "std")]
#[must_use = "a permit that is dropped at once counts as a dropped call; end it with its outcome"]
pub struct OwnedPermit(RawPermit<Arc<Breaker>>);

#[cfg(feature = "std")]
impl OwnedPermit {
    #[inline]
    pub(crate) fn acquire(breaker: &Arc<Breaker>) -> Result<Self, Rejected> {
        match breaker.acquire() {
            Ok(admission) => Ok(Self(RawPermit::new(Arc::clone(breaker), Some(admission)))),
            Err(rejected) => Err(rejected),
        }
    }

    /// Same as [`Permit::observe`].
    ///
    /// # Errors
    ///
    /// Returns the error of the result.
    #[inline]
    pub fn observe<T, E>(self, result: Result<T, E>) -> Result<T, E> {
        self.observe_with(result, classify::result)
    }

    /// Same as [`Permit::observe_with`].
    ///
    /// # Errors
    ///
    /// Returns the error of the result.
    #[inline]
    pub fn observe_with<T, E>(
        self,
        result: Result<T, E>,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> Result<T, E> {
        self.0.observe(&result, classify);
        result
    }

    /// Same as [`Permit::success`].
    #[inline]
    pub fn success(self) {
        self.record(Outcome::Success);
    }

    /// Same as [`Permit::failure`].
    #[inline]
    pub fn failure(self) {
        self.record(Outcome::Failure);
    }

    /// Same as [`Permit::ignore`].
    #[inline]
    pub fn ignore(self) {
        self.record(Outcome::Ignored);
    }

    /// Same as [`Permit::record`].
    #[expect(
        clippy::must_use_candidate,
        reason = "a report may leave the answer unread"
    )]
    #[inline]
    pub fn record(self, outcome: Outcome) -> Recorded {
        self.0.record(outcome)
    }

    /// Same as [`Permit::is_probe`].
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.0.is_probe()
    }

    /// Same as [`Permit::generation`].
    #[must_use]
    pub fn generation(&self) -> u16 {
        self.0.generation()
    }
}

#[cfg(feature = "std")]
impl fmt::Debug for OwnedPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_as("OwnedPermit", f)
    }
}

//! The fate of a reservation of the inner service when its call is rejected.

use super::sealed::Sealed;

/// What becomes of the readiness of an inner service whose call is rejected: [`ReleaseByClone`] or
/// [`KeepReadiness`]. Sealed.
#[diagnostic::on_unimplemented(
    message = "the breaker cannot give up the readiness of `{S}`",
    note = "an inner service must be `Clone`, or the layer told to `.keep_readiness()`"
)]
pub trait Release<S>: Sealed {
    #[doc(hidden)]
    fn release(&self, inner: &mut S);
}

/// Replaces the inner service by a clone, and drops what was reserved: the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReleaseByClone;

impl Sealed for ReleaseByClone {}

impl<S: Clone> Release<S> for ReleaseByClone {
    // In tower only a drop gives readiness up, and a clone inherits none.
    #[cold]
    fn release(&self, inner: &mut S) {
        *inner = inner.clone();
    }
}

/// Keeps the readiness for the next call: from
/// [`BreakerLayer::keep_readiness`](super::BreakerLayer::keep_readiness).
#[derive(Clone, Copy, Debug, Default)]
pub struct KeepReadiness;

impl Sealed for KeepReadiness {}

impl<S> Release<S> for KeepReadiness {
    #[inline]
    fn release(&self, _: &mut S) {}
}

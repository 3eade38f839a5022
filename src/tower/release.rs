//! Release of the inner service's reservation when its call is rejected.

use super::sealed::Sealed;

/// Treatment of a ready inner service whose call is rejected: [`ReleaseByClone`] or
/// [`KeepReadiness`]. Sealed.
#[diagnostic::on_unimplemented(
    message = "the breaker cannot give up the readiness of `{S}`",
    note = "an inner service must be `Clone`, or the layer needs `.keep_readiness()`"
)]
pub trait Release<S>: Sealed {
    /// Gives up the reservation of the inner service, or keeps it.
    #[doc(hidden)]
    fn release(&self, inner: &mut S);
}

/// Replaces the inner service by a clone, which drops its reservation. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReleaseByClone;

impl Sealed for ReleaseByClone {}

impl<S: Clone> Release<S> for ReleaseByClone {
    // In tower only a drop gives up readiness, and a clone is not ready.
    #[cold]
    fn release(&self, inner: &mut S) {
        *inner = inner.clone();
    }
}

/// Keeps the readiness for the next call. Set by
/// [`BreakerLayer::keep_readiness`](super::BreakerLayer::keep_readiness).
#[derive(Clone, Copy, Debug, Default)]
pub struct KeepReadiness;

impl Sealed for KeepReadiness {}

impl<S> Release<S> for KeepReadiness {
    #[inline]
    fn release(&self, _: &mut S) {}
}

//! Which breaker a request goes through.

use core::{fmt, ops::Deref};
use std::sync::Arc;

use crate::Breaker;

/// Says which breaker a request goes through.
///
/// A `&Breaker` and an `Arc<Breaker>` are themselves the breaker of every request; [`ByRequest`] asks a
/// function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no breaker for the layer",
    note = "the layer takes a `&'static Breaker`, an `Arc<Breaker>` or `BreakerLayer::by_request`"
)]
pub trait Choose<Request> {
    /// What leads to the breaker and is held while the call lasts.
    type Breaker: Deref<Target = Breaker>;

    /// The breaker of this request.
    fn choose(&self, request: &Request) -> Self::Breaker;

    /// The breaker of every request, if that is but one: then a service whose breaker rejects need not wait
    /// until the service within is ready.
    fn only(&self) -> Option<&Breaker>;
}

impl<Request> Choose<Request> for &Breaker {
    type Breaker = Self;

    #[inline]
    fn choose(&self, _: &Request) -> Self {
        self
    }

    #[inline]
    fn only(&self) -> Option<&Breaker> {
        Some(self)
    }
}

impl<Request> Choose<Request> for Arc<Breaker> {
    type Breaker = Self;

    #[inline]
    fn choose(&self, _: &Request) -> Self {
        Arc::clone(self)
    }

    #[inline]
    fn only(&self) -> Option<&Breaker> {
        Some(self)
    }
}

/// A breaker for each host, tenant or shard: a function of the request finds it. From
/// [`BreakerLayer::by_request`](super::BreakerLayer::by_request).
#[derive(Clone, Copy)]
pub struct ByRequest<F>(pub(super) F);

impl<Request, B, F> Choose<Request> for ByRequest<F>
where
    F: Fn(&Request) -> B,
    B: Deref<Target = Breaker>,
{
    type Breaker = B;

    #[inline]
    fn choose(&self, request: &Request) -> B {
        self.0(request)
    }

    #[inline]
    fn only(&self) -> Option<&Breaker> {
        None
    }
}

impl<F> fmt::Debug for ByRequest<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByRequest").finish_non_exhaustive()
    }
}

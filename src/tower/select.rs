//! Selection of the breaker for a request.

use core::{fmt, ops::Deref};
use std::sync::Arc;

use crate::Breaker;

/// Selects the breaker for a request.
///
/// A [`Static`] and an `Arc<Breaker>` select the same breaker for every request. [`ByRequest`]
/// calls a function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the breaker of a layer",
    note = "the layer takes a `&'static Breaker`, an `Arc<Breaker>` or `BreakerLayer::by_request`"
)]
pub trait SelectBreaker<Request> {
    /// Pointer to the breaker, held until the call ends.
    type Breaker: Deref<Target = Breaker>;

    /// Returns the breaker for this request.
    fn select(&self, request: &Request) -> Self::Breaker;

    /// Returns the breaker if all requests have the same one. A service whose breaker rejects is
    /// then ready without waiting for the inner service.
    fn only(&self) -> Option<&Breaker>;
}

/// A `&'static Breaker` as a type without a lifetime parameter.
///
/// Some layers, such as `buffer`, box no future. In a spawned task or a handler under such a layer,
/// the compiler loses the fact that the future's lifetime is `'static`. It then refuses the task. A
/// service over a `&'static Breaker` therefore stores a `Static`. A function for [`ByRequest`] can
/// return one.
///
/// ```
/// use cutout::{Breaker, tower::{BreakerLayer, Static}};
/// # use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// static SHARDS: [Breaker; 2] = [const { Breaker::new() }; 2];
///
/// let layer = BreakerLayer::by_request(|number: &usize| Static(&SHARDS[number % 2]));
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let client = ServiceBuilder::new()
///     .buffer(32)
///     .layer(layer)
///     .service(service_fn(async |number: usize| Ok::<_, std::io::Error>(number + 1)));
/// let task = tokio::spawn(async move { client.oneshot(6).await });
/// # assert_eq!(task.await.unwrap().unwrap(), 7);
/// # });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Static(pub &'static Breaker);

impl Deref for Static {
    type Target = Breaker;

    #[inline]
    fn deref(&self) -> &Breaker {
        self.0
    }
}

impl<Request> SelectBreaker<Request> for Static {
    type Breaker = Self;

    #[inline]
    fn select(&self, _: &Request) -> Self {
        *self
    }

    #[inline]
    fn only(&self) -> Option<&Breaker> {
        Some(self)
    }
}

impl<Request> SelectBreaker<Request> for Arc<Breaker> {
    type Breaker = Self;

    #[inline]
    fn select(&self, _: &Request) -> Self {
        Arc::clone(self)
    }

    #[inline]
    fn only(&self) -> Option<&Breaker> {
        Some(self)
    }
}

/// Converts the argument of a layer to a [`SelectBreaker`] for its services.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the breaker of a layer",
    note = "the layer takes a `&'static Breaker`, an `Arc<Breaker>` or `BreakerLayer::by_request`"
)]
pub trait IntoSelectBreaker {
    /// The value that the service stores.
    type Select;

    /// Performs the conversion.
    fn into_select_breaker(self) -> Self::Select;
}

impl IntoSelectBreaker for &'static Breaker {
    type Select = Static;

    #[inline]
    fn into_select_breaker(self) -> Static {
        Static(self)
    }
}

impl IntoSelectBreaker for Static {
    type Select = Self;

    #[inline]
    fn into_select_breaker(self) -> Self {
        self
    }
}

impl IntoSelectBreaker for Arc<Breaker> {
    type Select = Self;

    #[inline]
    fn into_select_breaker(self) -> Self {
        self
    }
}

impl<F> IntoSelectBreaker for ByRequest<F> {
    type Select = Self;

    #[inline]
    fn into_select_breaker(self) -> Self {
        self
    }
}

/// Selects the breaker with a function of the request: one for each host, tenant or shard. Created
/// by [`BreakerLayer::by_request`](super::BreakerLayer::by_request).
#[derive(Clone, Copy)]
pub struct ByRequest<F>(pub(super) F);

impl<Request, B, F> SelectBreaker<Request> for ByRequest<F>
where
    F: Fn(&Request) -> B,
    B: Deref<Target = Breaker>,
{
    type Breaker = B;

    #[inline]
    fn select(&self, request: &Request) -> B {
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

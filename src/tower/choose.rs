//! Which breaker a request goes through.

use core::{fmt, ops::Deref};
use std::sync::Arc;

use crate::Breaker;

/// Says which breaker a request goes through.
///
/// A [`Static`] and an `Arc<Breaker>` are themselves the breaker of every request; [`ByRequest`] asks a
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
    /// until the inner service is ready.
    fn only(&self) -> Option<&Breaker>;
}

/// A `&'static Breaker` whose type names no lifetime.
///
/// Under a layer that boxes nothing, such as `buffer`, the compiler forgets in a spawned task or a handler
/// that the lifetime of a future is `'static`, and refuses the task. A service over a `&'static Breaker`
/// therefore keeps this; so may what a function for [`ByRequest`] returns.
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

impl<Request> Choose<Request> for Static {
    type Breaker = Self;

    #[inline]
    fn choose(&self, _: &Request) -> Self {
        *self
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

/// What a layer is given in place of a [`Choose`], and how a service keeps that.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no breaker for the layer",
    note = "the layer takes a `&'static Breaker`, an `Arc<Breaker>` or `BreakerLayer::by_request`"
)]
pub trait IntoChoose {
    /// What the service keeps.
    type Choose;

    /// Makes what the service keeps.
    fn into_choose(self) -> Self::Choose;
}

impl IntoChoose for &'static Breaker {
    type Choose = Static;

    #[inline]
    fn into_choose(self) -> Static {
        Static(self)
    }
}

impl IntoChoose for Static {
    type Choose = Self;

    #[inline]
    fn into_choose(self) -> Self {
        self
    }
}

impl IntoChoose for Arc<Breaker> {
    type Choose = Self;

    #[inline]
    fn into_choose(self) -> Self {
        self
    }
}

impl<F> IntoChoose for ByRequest<F> {
    type Choose = Self;

    #[inline]
    fn into_choose(self) -> Self {
        self
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

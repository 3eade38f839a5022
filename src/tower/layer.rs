//! [`BreakerLayer`]: the layer and its settings.

use core::{fmt, ops::Deref};

use tower_layer::Layer;

use crate::{Breaker, Rejected};

use super::{
    body::{CompleteAtBodyEnd, OnBodyDrop},
    classify::ByResult,
    completion::CompleteAtResponse,
    on_reject::{FlattenRejection, RespondWith, WrapRejection},
    release::{KeepReadiness, Release, ReleaseByClone},
    select::{ByRequest, IntoSelectBreaker},
    service::BreakerService,
};

/// Puts services behind a breaker, which all services of this layer and its clones share.
///
/// ```
/// use cutout::{Breaker, tower::BreakerLayer};
/// use std::{io, time::Duration};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// static BILLING: Breaker = Breaker::new();
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
/// # runtime.block_on(async {
/// let billing = service_fn(async |number: u32| Ok::<_, io::Error>(number + 1));
/// let service = ServiceBuilder::new()
///     .layer(BreakerLayer::new(&BILLING).flat()) // an error of the timeout can be a rejection
///     .timeout(Duration::from_secs(2)) // inside, where the breaker sees it
///     .service(billing);
/// assert_eq!(service.oneshot(6).await.unwrap(), 7);
/// # });
/// ```
#[derive(Clone, Copy)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct BreakerLayer<B, E = CompleteAtResponse<ByResult>, A = WrapRejection, R = ReleaseByClone>
{
    select: B,
    completion: E,
    on_reject: A,
    release: R,
}

impl<B> BreakerLayer<B> {
    /// Creates a layer over a breaker: a `&'static Breaker` or an `Arc<Breaker>`. Every call writes
    /// twice to the reference count of the `Arc`.
    pub const fn new(breaker: B) -> Self
    where
        B: Deref<Target = Breaker>,
    {
        Self::over(breaker)
    }

    const fn over(select: B) -> Self {
        Self {
            select,
            completion: CompleteAtResponse(ByResult),
            on_reject: WrapRejection,
            release: ReleaseByClone,
        }
    }
}

impl<F> BreakerLayer<ByRequest<F>> {
    /// Creates a layer that selects the breaker with a function of the request: one for each host,
    /// tenant or shard.
    ///
    /// When a service is polled ready, its next request is not known. So `poll_ready` always waits
    /// for the inner service, and an error from there is not recorded.
    ///
    /// ```
    /// use cutout::{Breaker, tower::BreakerLayer};
    ///
    /// static SHARDS: [Breaker; 2] = [const { Breaker::new() }; 2];
    ///
    /// let layer = BreakerLayer::by_request(|number: &usize| &SHARDS[number % 2]);
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// # SHARDS[1].force_open();
    /// # let service = layer.layer(service_fn(async |number: usize| Ok::<_, ()>(number)));
    /// # assert!(service.clone().oneshot(4).await.is_ok());
    /// # assert!(service.oneshot(5).await.is_err());
    /// # });
    /// ```
    pub fn by_request<Request, B>(find: F) -> Self
    where
        F: Fn(&Request) -> B,
        B: Deref<Target = Breaker>,
    {
        Self::over(ByRequest(find))
    }
}

impl<B, C, A, R> BreakerLayer<B, CompleteAtResponse<C>, A, R> {
    /// Sets the classifier, a function of the whole `Result`:
    /// [`classify::http_response`](crate::classify::http_response), or one of yours. By default
    /// `Ok` is a success and `Err` a failure, whatever the status of the response.
    ///
    /// ```
    /// use cutout::{Breaker, classify, tower::BreakerLayer};
    /// # use tower::{Layer, ServiceExt, service_fn};
    ///
    /// static BILLING: Breaker = Breaker::new();
    ///
    /// let layer = BreakerLayer::new(&BILLING).classify(classify::http_response);
    /// # let answer = async |()| http::Response::builder().status(500).body(());
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(layer.layer(service_fn(answer)).oneshot(())).unwrap();
    /// # assert_eq!(BILLING.snapshot().failures, Some(1));
    /// ```
    pub fn classify<D>(self, classify: D) -> BreakerLayer<B, CompleteAtResponse<D>, A, R> {
        self.with_completion(|_| CompleteAtResponse(classify))
    }

    /// Holds the permit until the end of the response's body, so that a body that breaks off fails
    /// its call.
    ///
    /// A head that is a failure, or ignored, ends the call at once. A head that is a success leaves
    /// the call open until
    ///
    /// * the end of the body: a success, or the outcome of the `grpc-status` in its trailers;
    /// * an error of the body: a failure;
    /// * a drop before the body was polled, as with a `HEAD`, or after all its data has come: a
    ///   success;
    /// * a drop in between, for example by a client that leaves an event stream: a success like the
    ///   head, unless the policy's [`on_drop`](crate::Policy::on_drop) fails it. See
    ///   [`on_body_drop`](BreakerLayer::on_body_drop);
    /// * a drop by a panic: a failure.
    ///
    /// After data of a known length, the call lasts until the body ends or is dropped, since
    /// trailers may follow. A body whose [`is_end_stream`](http_body::Body::is_end_stream) is true
    /// ends its call at once.
    ///
    /// The head alone decides the outcome of a **probe**. A download of an hour would otherwise
    /// keep the breaker half-open, and reject every other call, for that hour. So a dependency with
    /// good heads and broken bodies is admitted again after each open period, and trips the breaker
    /// again.
    ///
    /// [`slow_call`](crate::Policy::slow_call) then times the call to the end of the body, except
    /// if the body is dropped in between. [`OnDrop::FailureAfter`](crate::OnDrop::FailureAfter)
    /// fails the drop of a body that hung. It also fails the drop of an event stream that was open
    /// as long.
    ///
    /// The response of the inner service must be an [`http::Response`]; its body becomes a
    /// [`HeldBody`](super::HeldBody).
    pub fn hold_body(self) -> BreakerLayer<B, CompleteAtBodyEnd<C>, A, R> {
        self.with_completion(|completion| CompleteAtBodyEnd {
            classify: completion.0,
            on_drop: OnBodyDrop::Head,
        })
    }
}

impl<B, C, A, R> BreakerLayer<B, CompleteAtBodyEnd<C>, A, R> {
    /// Sets the classifier of a response's head, or of an error.
    pub fn classify<D>(self, classify: D) -> BreakerLayer<B, CompleteAtBodyEnd<D>, A, R> {
        self.with_completion(|completion| CompleteAtBodyEnd {
            classify,
            on_drop: completion.on_drop,
        })
    }

    /// Sets the outcome of a body that is dropped before its end. The default is
    /// [`OnBodyDrop::Head`].
    ///
    /// ```
    /// use cutout::{Breaker, tower::{BreakerLayer, OnBodyDrop}};
    ///
    /// static QUOTES: Breaker = Breaker::new();
    ///
    /// let layer = BreakerLayer::new(&QUOTES).hold_body().on_body_drop(OnBodyDrop::Policy);
    /// # let _ = layer;
    /// ```
    pub fn on_body_drop(self, rule: OnBodyDrop) -> Self {
        self.with_completion(|completion| CompleteAtBodyEnd {
            on_drop: rule,
            ..completion
        })
    }
}

impl<B, E, A, R> BreakerLayer<B, E, A, R> {
    /// Converts a rejection to the error of the inner service, which must be `From<Rejected>`: a
    /// type of yours, or the boxed error of tower's own layers. [`Rejected::find`] finds the
    /// rejection in a boxed error.
    pub fn flat(self) -> BreakerLayer<B, E, FlattenRejection, R> {
        self.with_on_reject(FlattenRejection)
    }

    /// Converts a rejection to a response with [`service_unavailable`](super::service_unavailable),
    /// or with a function of yours. The service then adds no error of its own, as axum requires.
    ///
    /// ```
    /// use cutout::{Breaker, classify, tower::{BreakerLayer, service_unavailable}};
    /// # use tower::ServiceExt;
    ///
    /// static DATABASE: Breaker = Breaker::new();
    ///
    /// let app = axum::Router::<()>::new()
    ///     .route("/", axum::routing::get(async || "well"))
    ///     .layer(
    ///         BreakerLayer::new(&DATABASE)
    ///             .classify(classify::http_response)
    ///             .respond_with(service_unavailable),
    ///     );
    /// # DATABASE.force_open();
    /// # let request = http::Request::new(axum::body::Body::empty());
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # assert_eq!(runtime.block_on(app.oneshot(request)).unwrap().status(), 503);
    /// ```
    pub fn respond_with<F, Response>(self, respond: F) -> BreakerLayer<B, E, RespondWith<F>, R>
    where
        F: Fn(Rejected) -> Response,
    {
        self.with_on_reject(RespondWith(respond))
    }

    /// Keeps the readiness of an inner service whose call is rejected. The inner service need not
    /// be `Clone` then.
    ///
    /// In tower readiness ends with a call, or with the drop of the instance. By default a rejected
    /// call therefore replaces the inner service by a clone. That frees its reservation, such as
    /// the slot of a `ConcurrencyLimit`. With this option the instance keeps its reservation until
    /// its next call, or until it is dropped. Other clones wait for the reservation.
    ///
    /// ```
    /// use cutout::{Breaker, tower::BreakerLayer};
    /// use std::{io, time::Duration};
    /// # use tower::ServiceExt;
    /// use tower::{ServiceBuilder, service_fn};
    ///
    /// static QUOTES: Breaker = Breaker::new();
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    /// # runtime.block_on(async {
    /// let client = ServiceBuilder::new()
    ///     .layer(BreakerLayer::new(&QUOTES).keep_readiness())
    ///     .rate_limit(100, Duration::from_secs(1)) // not `Clone`
    ///     .service(service_fn(async |number: u32| Ok::<_, io::Error>(number + 1)));
    /// # assert_eq!(client.oneshot(6).await.unwrap(), 7);
    /// # });
    /// ```
    pub fn keep_readiness(self) -> BreakerLayer<B, E, A, KeepReadiness> {
        BreakerLayer {
            select: self.select,
            completion: self.completion,
            on_reject: self.on_reject,
            release: KeepReadiness,
        }
    }

    fn with_on_reject<D>(self, on_reject: D) -> BreakerLayer<B, E, D, R> {
        BreakerLayer {
            select: self.select,
            completion: self.completion,
            on_reject,
            release: self.release,
        }
    }

    fn with_completion<D>(self, complete: impl FnOnce(E) -> D) -> BreakerLayer<B, D, A, R> {
        BreakerLayer {
            select: self.select,
            completion: complete(self.completion),
            on_reject: self.on_reject,
            release: self.release,
        }
    }
}

impl<S, B, E, A, R> Layer<S> for BreakerLayer<B, E, A, R>
where
    B: IntoSelectBreaker + Clone,
    E: Clone,
    A: Clone,
    R: Release<S> + Clone,
{
    type Service = BreakerService<S, B::Select, E, A, R>;

    fn layer(&self, inner: S) -> Self::Service {
        BreakerService::new(
            inner,
            self.select.clone().into_select_breaker(),
            self.completion.clone(),
            self.on_reject.clone(),
            self.release.clone(),
        )
    }
}

impl<B: fmt::Debug, E, A, R> fmt::Debug for BreakerLayer<B, E, A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerLayer")
            .field("breaker", &self.select)
            .finish_non_exhaustive()
    }
}

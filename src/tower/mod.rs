//! Layer and service for [tower](https://docs.rs/tower), and so for axum, tonic and hyper.
//! (Features `tower` and `tower-retry`.)
//!
//! ```
//! use cutout::{Breaker, Trip, tower::BreakerLayer};
//! use std::time::Duration;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! static BILLING: Breaker = Breaker::builder()
//!     .trip(Trip::consecutive(3))
//!     .open_for(Duration::from_secs(15))
//!     .build();
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
//! # runtime.block_on(async {
//! let client = ServiceBuilder::new()
//!     .buffer(32)
//!     .layer(BreakerLayer::new(&BILLING).flat())
//!     .timeout(Duration::from_secs(2))
//!     .service(service_fn(async |number: u32| Ok::<_, std::io::Error>(number + 1)));
//! assert_eq!(client.oneshot(6).await.unwrap(), 7);
//! # });
//! ```
//!
//! # The order of layers
//!
//! From the outside in, the order of `ServiceBuilder`:
//!
//! | layer | reason for its position |
//! |---|---|
//! | load shed, limits of your own | their errors say nothing about the dependency; inside the breaker they would count as failures |
//! | retry | outside, so that each attempt counts; with [`UnlessRejected`], so that rejections are not retried |
//! | buffer | an open breaker empties it at once, without waiting for the inner service |
//! | **breaker** | with [`flat`](BreakerLayer::flat) over boxed errors, such as those of a timeout, and under a buffer, which boxes errors |
//! | timeout | inside, where its error is a failure; outside it is a [drop](crate::Policy::on_drop) |
//! | the client | |
//!
//! # Form of a rejection
//!
//! | rejections are | by | `Error` |
//! |---|---|---|
//! | wrapped | default | [`cutout::Error<S::Error>`](crate::Error) |
//! | an error of the inner service | [`flat`](BreakerLayer::flat) | `S::Error: From<Rejected>` |
//! | a response | [`respond_with`](BreakerLayer::respond_with) | `S::Error`, in axum `Infallible` |
//!
//! # Traps
//!
//! * **Share the breaker.** A function that calls `Breaker::new()` for its layer creates another
//!   breaker each time it runs. A `static`, or an `Arc` that the function is given, is shared.
//! * **A 500 is an `Ok`** until [`classify`](BreakerLayer::classify) says otherwise.
//! * **A body is not part of the call** without [`hold_body`](BreakerLayer::hold_body). Even then a
//!   body that hangs until an outer timeout drops it is a success, like its head. Put a timeout
//!   inside, or use [`OnDrop::FailureAfter`](crate::OnDrop::FailureAfter).
//! * **An error of `poll_ready` counts as a failed call**, since no call follows it: many services
//!   connect there. Classify that error as [ignored](crate::Outcome::Ignored) if it says nothing
//!   about the dependency.
//! * **A timeout does not cover `poll_ready`.** A service that is never ready delays its callers,
//!   and no call is made that could fail. `load_shed` between breaker and client turns the wait
//!   into errors, which count.
//! * **A caller that waits for the inner service is not woken when the breaker opens.** A breaker
//!   has no list of callers to wake.
//! * **A rejected call replaces the inner service by a clone** if the inner service was polled
//!   ready. Only the drop of an instance gives up its reservation, such as the slot of a
//!   concurrency limit. The inner service must be `Clone`, and its clones must share its limits, as
//!   the clones of tower's services do.
//! * **An inner service that is not `Clone`** needs
//!   [`keep_readiness`](BreakerLayer::keep_readiness). A rejected call then keeps its slot until
//!   the next call of that instance, or until its drop.
//! * **A caller that is ready and makes no call** keeps its slot, as without a breaker.
//! * **To a balancer an open breaker looks like its fastest dependency**: it is always ready and
//!   answers at once. Leave out a dependency whose [`peek`](crate::Breaker::peek) is an error.
//! * **Two layers over one breaker count a request once**, for example around a router and a
//!   sub-router. The outermost layer admits the call and records it with its classifier; the inner
//!   layers pass the request on. A failure that a handler between them turns into a successful
//!   response is therefore a success.
//! * **A buffer or `tokio::spawn` between two layers over one breaker separates them**, since the
//!   inner call runs on another stack. Each level then counts, and takes a probe slot. With one
//!   probe, the inner layer rejects the outer layer's probe, and the breaker does not recover. Put
//!   both layers on one side.
//! * **In a spawned task, under a buffer, name no lifetime.** The compiler refuses a `by_request`
//!   function there that returns a `&'static Breaker`. Return [`Static`] or an `Arc` instead.
//! * **Each call increments and decrements the reference count of an `Arc`**; a `&'static` has no
//!   count. Neither allocates.

mod body;
mod classify;
mod completion;
mod future;
mod layer;
mod on_reject;
mod release;
#[cfg(feature = "tower-retry")]
mod retry;
mod select;
mod service;
mod unavailable;

pub use body::{CompleteAtBodyEnd, HeldBody, OnBodyDrop};
pub use classify::{ByResult, Classify};
pub use completion::{CompleteAtResponse, CompletionPoint};
pub use future::ResponseFuture;
pub use layer::BreakerLayer;
pub use on_reject::{FlattenRejection, OnReject, RespondWith, WrapRejection};
pub use release::{KeepReadiness, Release, ReleaseByClone};
#[cfg(feature = "tower-retry")]
pub use retry::{MaybeRejected, UnlessRejected};
pub use select::{ByRequest, IntoSelectBreaker, SelectBreaker, Static};
pub use service::BreakerService;
pub use unavailable::service_unavailable;

mod sealed {
    pub trait Sealed {}
}

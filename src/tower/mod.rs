//! A layer and a service for [tower](https://docs.rs/tower), and so for axum, tonic and hyper. Features
//! `tower` and `tower-retry`.
//!
//! ```
//! use cutout::{Breaker, Trip, tower::BreakerLayer};
//! use std::time::Duration;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! static PARTNER: Breaker = Breaker::builder()
//!     .trip(Trip::consecutive(3))
//!     .open_for(Duration::from_secs(15))
//!     .build();
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
//! # runtime.block_on(async {
//! let client = ServiceBuilder::new()
//!     .buffer(32)
//!     .layer(BreakerLayer::new(&PARTNER).flat())
//!     .timeout(Duration::from_secs(2))
//!     .service(service_fn(async |number: u32| Ok::<_, std::io::Error>(number + 1)));
//! assert_eq!(client.oneshot(6).await.unwrap(), 7);
//! # });
//! ```
//!
//! # The order of layers
//!
//! From the outside in, as `ServiceBuilder` has them:
//!
//! | layer | why there |
//! |---|---|
//! | load shed, limits of your own | what they refuse says nothing of the dependency; inside the breaker it would count as a failure |
//! | retry | outside, so that each attempt counts; with [`UnlessRejected`], so that rejections are not retried |
//! | buffer | an open breaker empties it at once, as it need not wait for the inner service |
//! | **breaker** | with [`flat`](BreakerLayer::flat) over errors that are boxed, as those of a timeout are, and under a buffer, which boxes them |
//! | timeout | inside, where its error is a failure; outside it is a [drop](crate::Policy::on_drop) |
//! | the client | |
//!
//! # What a breaker answers
//!
//! | rejections are | by | `Error` |
//! |---|---|---|
//! | wrapped | default | [`cutout::Error<S::Error>`](crate::Error) |
//! | an error of the inner service | [`flat`](BreakerLayer::flat) | `S::Error: From<Rejected>` |
//! | a response | [`respond_with`](BreakerLayer::respond_with) | `S::Error`, in axum `Infallible` |
//!
//! # Traps
//!
//! * **Share the breaker.** A `Breaker::new()` in the function that makes the layer is a new one each time
//!   that runs. A `static`, or an `Arc` that the function is given, is one for all.
//! * **A 500 is an `Ok`** until [`classify`](BreakerLayer::classify) says otherwise.
//! * **A body is not part of the call** unless [`hold_body`](BreakerLayer::hold_body) says so. A body that
//!   hangs until an outer timeout drops it is then a success, as its head was: put a timeout inside, or
//!   use [`OnDrop::FailureAfter`](crate::OnDrop::FailureAfter).
//! * **A service that fails to get ready counts as a failed call**, as no call follows: many connect there.
//!   Classify that error as [ignored](crate::Outcome::Ignored) if it says nothing of the dependency.
//! * **A timeout does not cover `poll_ready`.** A service that is never ready holds its callers up, and there
//!   is no call that could fail. `load_shed` between breaker and client makes errors of that, which count.
//! * **A caller who waits for the inner service is not woken when the breaker opens.** There is nothing to
//!   wake it: a breaker keeps no list of callers.
//! * **A rejected call replaces the inner service by a clone** if that was polled ready: only the drop of
//!   an instance gives up what it reserved, as the slot of a concurrency limit. The inner service must
//!   be `Clone`, and its clones share its limits, as those of tower do.
//! * **An inner service that is not `Clone`** needs [`keep_readiness`](BreakerLayer::keep_readiness). A
//!   rejected call then keeps its slot until the next call of that instance, or until its drop.
//! * **A caller that is ready and makes no call** keeps its slot, as without a breaker.
//! * **To a balancer an open breaker looks like its quickest dependency**: it is always ready and answers at
//!   once. Leave those out for which [`peek`](crate::Breaker::peek) is an error.
//! * **Two layers over one breaker count a request once**, as around a router and a sub-router: the layer
//!   farthest out admits and records, with its classifier; the inner ones pass the request on. A failure
//!   that a handler between them turns into a good response is therefore a success.
//! * **A buffer or `tokio::spawn` between two layers over one breaker separates them**, as the inner call is
//!   made on another stack. Each level then counts, and takes a probe: with one probe, the inner layer
//!   rejects the outer layer's probe, and the breaker does not recover. Put both layers on one side.
//! * **In a spawned task, under a buffer, name no lifetime**: a `by_request` function that returns a
//!   `&'static Breaker` is refused there. Let it return [`Static`] or an `Arc`.
//! * **An `Arc` is counted up and down by each call**, a `&'static` is not. Neither allocates.

mod answer;
mod body;
mod choose;
mod classify;
mod ends;
mod future;
mod layer;
mod release;
#[cfg(feature = "tower-retry")]
mod retry;
mod service;
mod unavailable;

pub use answer::{Answer, Flat, RespondWith, Wrapped};
pub use body::{AtEndOfBody, HeldBody, OnBodyDrop};
pub use choose::{ByRequest, Choose, IntoChoose, Static};
pub use classify::{ByResult, Classify};
pub use ends::{AtResponse, Ends};
pub use future::ResponseFuture;
pub use layer::BreakerLayer;
pub use release::{KeepReadiness, Release, ReleaseByClone};
#[cfg(feature = "tower-retry")]
pub use retry::{MaybeRejected, UnlessRejected};
pub use service::BreakerService;
pub use unavailable::service_unavailable;

mod sealed {
    pub trait Sealed {}
}

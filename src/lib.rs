#![doc = include_str!("../README.md")]
#![cfg_attr(not(any(feature = "std", test)), no_std)]

#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __private;
mod breaker;
mod builder;
pub mod classify;
pub mod clock;
mod error;
#[cfg(feature = "keyed")]
pub mod keyed;
#[cfg(feature = "last-error")]
pub mod last_error;
mod listener;
mod machine;
#[cfg(feature = "metrics")]
pub mod metrics;
mod name;
mod permit;
mod policy;
#[cfg(feature = "std")]
mod scope;
mod sync;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "tracing")]
pub mod tracing;

#[cfg(feature = "std")]
pub use breaker::CallCounts;
pub use breaker::{Breaker, CallAsync, Snapshot};
#[cfg(feature = "watch")]
pub use breaker::{StopWatching, Watched};
pub use builder::Builder;
pub use classify::Outcome;
#[cfg(feature = "macros")]
#[doc = include_str!("attribute.md")]
pub use cutout_macros::breaker;
pub use error::{Error, Reason, Rejected};
#[cfg(feature = "std")]
pub use listener::Listener;
pub use listener::{Admitted, CallListener, Ended, Transition};
pub use machine::{
    step::{Cause, Recorded},
    word::State,
};
#[cfg(feature = "std")]
pub use permit::OwnedPermit;
pub use permit::Permit;
pub use policy::{
    Backoff, Failures, OnDrop, Percent, Policy, PolicyError, Span, Threshold, Trip, Window,
};

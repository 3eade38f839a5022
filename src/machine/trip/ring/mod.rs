//! Windows over a failure ring.

#[cfg(feature = "std")]
pub(crate) mod failure_ring;

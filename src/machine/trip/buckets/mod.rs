//! Windows over time buckets.

#[cfg(feature = "std")]
pub(crate) mod time_buckets;

//! Length of a run.

use std::env;

/// Factor of the larger bounds.
const DEEPER: usize = 20;

/// Whether the larger bounds are asked for: the environment variable `CUTOUT_DEEP` is set, and not
/// to `0`.
#[must_use]
pub fn is_deep() -> bool {
    env::var_os("CUTOUT_DEEP").is_some_and(|set| set != "0")
}

/// `n` iterations, or twenty times `n` where the larger bounds are asked for.
#[must_use]
pub fn iterations(by_default: usize) -> usize {
    by_default * if is_deep() { DEEPER } else { 1 }
}

//! How long a run takes.

use std::env;

/// How many times more is done where it is asked for.
const DEEPER: usize = 20;

/// Whether the larger bounds are asked for: the environment has `CUTOUT_DEEP`, and not `0`.
#[must_use]
pub fn is_deep() -> bool {
    env::var_os("CUTOUT_DEEP").is_some_and(|set| set != "0")
}

/// So many iterations, or twenty times as many where the larger bounds are asked for.
#[must_use]
pub fn iterations(by_default: usize) -> usize {
    by_default * if is_deep() { DEEPER } else { 1 }
}

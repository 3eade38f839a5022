//! How long a run takes.

use std::env;

/// How many times more is done where it is asked for.
const DEEPER: usize = 20;

/// So many iterations, or twenty times as many if the environment has `CUTOUT_DEEP` (and not `0`).
#[must_use]
pub fn iterations(by_default: usize) -> usize {
    match env::var_os("CUTOUT_DEEP") {
        Some(set) if set != "0" => by_default * DEEPER,
        _ => by_default,
    }
}

//! A policy as a file writes it.
//!
//! ```toml
//! trip = { consecutive = 5, failures = 10, of_last = 20 }
//! backoff = { base = "5s", factor = 2, cap = "1m", jitter = 20 }
//! probes = 1
//! on_drop = { failure-after = "2s" }
//! ```
//!
//! A key that is left out is as in [`Policy::new`](super::Policy::new). An unknown key, and a value
//! out of its bounds, is refused.
//!
//! | file | what it has |
//! |---|---|
//! | `map.rs` | a value that is read from a map only, key by key |
//! | `scalar.rs` | numbers and durations |
//! | `read.rs` | policy, trip, backoff and the meaning of a drop, each from such a map |
//! | `write.rs` | the same, written |

mod map;
mod read;
mod scalar;
mod write;

use serde::{Serialize, Serializer};

use crate::State;

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

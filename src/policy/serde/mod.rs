//! File format of a policy.
//!
//! ```toml
//! trip = { consecutive = 5, failures = 10, of_last = 20 }
//! backoff = { base = "5s", factor = 2, cap = "1m", jitter = 20 }
//! probes = 1
//! on_drop = { failure-after = "2s" }
//! ```
//!
//! A missing key takes its value from [`Policy::new`](super::Policy::new). An unknown key or a
//! value out of bounds is refused.
//!
//! | file | content |
//! |---|---|
//! | `map.rs` | deserializing a value from a map only, key by key |
//! | `scalar.rs` | numbers and durations |
//! | `read.rs` | deserializing policy, trip, backoff and `on_drop`, each from a map |
//! | `write.rs` | serializing the same types |

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

//! What the hardware and the heap see of a call.
//!
//! ```text
//! tests/read_only.rs    runs        bin/read-only.rs   one scene, in pages that it makes read-only
//!                                     |         \
//! tests/allocations.rs              scenes      vault   the allocator that has those pages
//! ```

#[cfg(unix)]
pub mod scenes;
#[cfg(unix)]
pub mod vault;

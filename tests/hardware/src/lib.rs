//! Effects of a call on the hardware and the heap.
//!
//! ```text
//! tests/read_only.rs    runs        bin/read-only.rs   one configuration, in read-only pages
//!                                     |         \
//! tests/allocations.rs         configurations   arena   the allocator that owns those pages
//! ```

#[cfg(unix)]
pub mod arena;
#[cfg(unix)]
pub mod configurations;

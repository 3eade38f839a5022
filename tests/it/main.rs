//! Tests of the public API, one module for each part of it, in one binary.
//!
//! Tests that need a process of their own are binaries beside this one: `metrics` installs a global
//! recorder, `keyed_memory` measures the heap, and `threads` needs a core for each thread.
//! `against_oracle` is one because `./check deep` and `./check mutants` run it alone.

mod any_policy;
mod call_sites;
mod cancelling;
mod clock_reads;
mod counting;
mod defects;
mod generations;
mod jitter;
#[cfg(feature = "keyed")]
mod keyed;
#[cfg(feature = "last-error")]
mod last_error;
mod leaks;
mod listening;
mod panicking_listeners;
#[cfg(feature = "serde")]
mod policy_files;
mod reentrancy;
mod refused;
#[cfg(feature = "tower-retry")]
mod tower;
#[cfg(feature = "tracing")]
mod tracing;
#[cfg(feature = "watch")]
mod watching;
mod windows;

#[path = "../support/mod.rs"]
mod support;

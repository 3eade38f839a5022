//! The shipped machine under loom. The files of `src/machine` are included unchanged, over the
//! atomics of `sync.rs`. The published crate has no knowledge of this one.
//!
//! ```text
//! list          the models          backend   loom: its primitives, and how it runs a model
//!    |                                |
//! models/*      the properties      sync      the atomics of the machine, with a switch
//!    |    \_________ scene            |
//! harness  the rules of the models  machine   the shipped files
//!          |                          |
//! history  requests and responses   subject   the machine under test: shipped, or a planted bug
//!          for the history checker  driver    forwards requests to the shipped core
//! ```
//!
//! The package in `shuttle/` includes all files but `backend.rs`, to run the same models under
//! shuttle.
//!
//! `cargo test -p loom-tests -- --nocapture` prints what each model did.
//! `cargo run -p loom-tests --bin bugs` prints which model finds which bug.

// `--all-targets` builds the unit tests of a library that has none, and those of the machine need
// the real crate around them.
#![cfg(not(test))]

mod backend;
mod bugs;
mod driver;
mod harness;
mod history;
mod list;
#[path = "../../src/machine/mod.rs"]
#[allow(
    clippy::all,
    clippy::pedantic,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "linted where it ships; the models need less of it than the crate does, and export nothing"
)]
mod machine;
mod models;
mod scene;
mod subject;
mod sync;

pub use bugs::{Bug, bugs, silence};
pub use list::check;

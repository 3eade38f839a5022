//! Shared code of the benches: the dependency, the breakers that call it, and the timing of calls.
//!
//! | file | content |
//! |---|---|
//! | `dependency.rs` | the called function, with a failure rate for each path |
//! | `subjects/` | the breakers: one file for each, cutout and its rivals |
//! | `contender.rs` | a way to make calls, checked before it is timed |
//! | `contenders.rs` | the contenders of each group |
//! | `shapes.rs` | shapes of a call: inlined, or in a function that returns its result |
//! | `keyed.rs` | sets of breakers by key, and maps under a lock |
//! | `growth.rs` | contenders by number of threads, of breakers, or size of a window |
//! | `tower.rs` | contenders that are services in a tower stack |
//! | `passes.rs` | criterion, in passes, so that contenders alternate |
//! | `cli.rs`, `results.rs` | command line arguments, and paths of results |
//!
//! `black_box` hides the number of each call, the result of the dependency and the result of the
//! breaker from the optimizer, equally for all contenders. Every sample asserts the number of
//! admitted calls.

pub mod cli;
pub mod contender;
pub mod contenders;
pub mod dependency;
pub mod growth;
pub mod keyed;
pub mod passes;
pub mod results;
pub mod shapes;
pub mod subjects;
pub mod tower;

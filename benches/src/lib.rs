//! What the benches share: the dependency, the breakers that call it, and how their calls are timed.
//!
//! | file | what it has |
//! |---|---|
//! | `dependency.rs` | what is called: it fails as often as a path says |
//! | `subjects/` | who calls: one file for each breaker, ours and the rivals' |
//! | `contender.rs` | a way to make calls, checked before it is timed |
//! | `contenders.rs` | who is compared with whom |
//! | `tower.rs` | the same for services in a tower stack |
//! | `passes.rs` | criterion, in passes, so that contenders take turns |
//! | `asked.rs`, `results.rs` | what the command line asks for, and where results go |
//!
//! What may be left out of a call and what may not: `black_box` hides each call's number, the dependency's
//! answer and the breaker's result from the optimiser, for all contenders alike, and every sample asserts that
//! as many calls were let through as must be.

pub mod asked;
pub mod contender;
pub mod contenders;
pub mod dependency;
pub mod passes;
pub mod results;
pub mod subjects;
pub mod tower;

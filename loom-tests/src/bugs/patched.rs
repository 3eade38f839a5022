//! Bugs that are a small edit of a shipped file. The tables in `patched/` list the edits.
//! `build.rs` copies the machine, applies each edit, and generates a module and a [`Bug`] for each
//! table row.

use super::Bug;
use crate::models;

include!(concat!(env!("OUT_DIR"), "/patched.rs"));

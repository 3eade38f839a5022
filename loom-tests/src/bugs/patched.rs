//! The bugs that are a few words in a shipped file. The tables in `patched/` say which words; `build.rs` copies the
//! machine, puts those words in the place of others, and makes of each table row a module and a [`Bug`].

use super::Bug;
use crate::models;

include!(concat!(env!("OUT_DIR"), "/patched.rs"));

//! The tables of `bugs/patched.rs`, which `build.rs` reads.

mod core;
mod event_count;
mod failure_ring;
mod hints;
mod orderings;
mod time_buckets;
mod transition_queue;

/// A bug that is a few words in a shipped file. The rest of a row is as in `Bug`.
pub(crate) struct Patch {
    /// What its module is called.
    pub(crate) name: &'static str,
    pub(crate) breaks: &'static str,
    pub(crate) what: &'static str,
    pub(crate) seen: &'static str,
    pub(crate) model: &'static str,
    pub(crate) gives_away: &'static str,
    /// The file, in `src/machine`.
    pub(crate) file: &'static str,
    /// What is there, exactly once, and what takes its place.
    pub(crate) edits: &'static [(&'static str, &'static str)],
}

pub(crate) const TABLES: &[&[Patch]] = &[
    orderings::PATCHES,
    failure_ring::PATCHES,
    time_buckets::PATCHES,
    transition_queue::PATCHES,
    core::PATCHES,
    hints::PATCHES,
    event_count::PATCHES,
];

/// Where a weaker ordering than is needed was seen.
const TOO_WEAK: &str = "filipdulic/bus-queue #3; tikv/rocksdb pull 423: no breakers";
/// Nobody has said so in public, as far as was found.
const UNSEEN: &str = "family; no public report verified";

//! The tables of `bugs/patched.rs`, which `build.rs` reads.

mod core;
mod event_count;
mod failure_ring;
mod hints;
mod orderings;
mod time_buckets;
mod transition_queue;

/// A bug that is a small edit of a shipped file. The other fields are those of `Bug`.
pub(crate) struct Patch {
    /// Name of the generated module.
    pub(crate) name: &'static str,
    pub(crate) invariants: &'static str,
    pub(crate) what: &'static str,
    pub(crate) reported_in: &'static str,
    pub(crate) model: &'static str,
    pub(crate) expected_message: &'static str,
    /// The file, in `src/machine`.
    pub(crate) file: &'static str,
    /// Texts that occur exactly once in the file, each with its replacement.
    pub(crate) edits: &'static [(&'static str, &'static str)],
}

/// Bugs that only loom finds, which has more than one memory order.
pub(crate) const ORDERINGS: &[Patch] = orderings::PATCHES;

/// All other bugs.
pub(crate) const TABLES: &[&[Patch]] = &[
    failure_ring::PATCHES,
    time_buckets::PATCHES,
    transition_queue::PATCHES,
    core::PATCHES,
    hints::PATCHES,
    event_count::PATCHES,
];

/// The reports of an ordering that was weaker than needed.
const TOO_WEAK: &str = "filipdulic/bus-queue #3; tikv/rocksdb pull 423: no breakers";
/// No public report was found.
const UNSEEN: &str = "family; no public report verified";

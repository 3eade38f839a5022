//! The tables of `bugs/patched.rs`, which `build.rs` reads.

mod core;
mod delivery;
mod hints;
mod orderings;
mod rate;
mod stamps;
mod watch;

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
    stamps::PATCHES,
    rate::PATCHES,
    delivery::PATCHES,
    core::PATCHES,
    hints::PATCHES,
    watch::PATCHES,
];

/// Where a weaker ordering than is needed was seen.
const TOO_WEAK: &str = "filipdulic/bus-queue #3; tikv/rocksdb pull 423: no breakers";
/// Nobody has said so in public, as far as was found.
const UNSEEN: &str = "family; no public report verified";

//! The models, by what races. Each is named by the sentence that it proves.

pub(crate) mod delivery;
pub(crate) mod hints;
pub(crate) mod history;
pub(crate) mod lease;
pub(crate) mod notes;
pub(crate) mod operator;
pub(crate) mod probe;
pub(crate) mod publication;
pub(crate) mod rate;
pub(crate) mod rate_or_run;
pub(crate) mod reads;
pub(crate) mod stale;
pub(crate) mod stamps;
pub(crate) mod trip;
pub(crate) mod watch;
pub(crate) mod weak;

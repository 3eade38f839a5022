//! The models, by what races. Each is named by the property that it checks.

pub(crate) mod diagnostics;
pub(crate) mod event_count;
pub(crate) mod failure_ring;
pub(crate) mod hints;
pub(crate) mod history;
pub(crate) mod lease;
pub(crate) mod operator;
pub(crate) mod probe;
pub(crate) mod publication;
pub(crate) mod rate_or_run;
pub(crate) mod reads;
pub(crate) mod stale;
pub(crate) mod time_buckets;
pub(crate) mod transition_queue;
pub(crate) mod trip;
pub(crate) mod weak;

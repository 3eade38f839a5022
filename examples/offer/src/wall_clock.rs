//! The time at which an offer was made.

use std::time::{SystemTime, UNIX_EPOCH};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Minutes and seconds of the hour, as `MM:SS`.
pub(crate) fn mm_ss() -> String {
    // A wall clock before 1970 must not prevent an offer.
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let of_hour = since_1970.as_secs() % HOUR;
    format!("{:02}:{:02}", of_hour / MINUTE, of_hour % MINUTE)
}

//! `consecutive(n)` alone: the failures since the last success, in all 46 bits.
//!
//! A success stores 0, which is healthy from the first call on.

#![expect(clippy::cast_possible_truncation, reason = "a run is at most 65 535")]

use super::Count;

/// The longest run that is counted.
const LONGEST: u64 = u16::MAX as u64;

/// No window: the run alone trips.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run;

impl Run {
    pub(crate) const fn fresh(self, _now: u64) -> u64 {
        0
    }

    pub(crate) const fn healthy(self) -> Option<u64> {
        Some(0)
    }

    pub(crate) const fn success(self, _payload: u64) -> u64 {
        0
    }

    /// The run saturates.
    pub(crate) const fn failure(self, payload: u64, _run: Option<u16>) -> u64 {
        if payload < LONGEST {
            payload + 1
        } else {
            payload
        }
    }

    pub(crate) const fn run_length(self, payload: u64) -> u64 {
        payload
    }

    pub(crate) const fn trips(self, _payload: u64) -> bool {
        false
    }

    pub(crate) const fn count(self, payload: u64) -> Count {
        Count {
            failures: payload as u32,
            calls: payload as u32,
        }
    }

    pub(crate) const fn longest_run(self) -> u16 {
        LONGEST as u16
    }

    pub(crate) const fn is_external(self) -> bool {
        false
    }

    pub(crate) const fn records_successes(self) -> bool {
        false
    }
}

#[cfg(test)]
impl Run {
    pub(crate) const fn is_legal(self, payload: u64, _run: Option<u16>) -> bool {
        payload <= LONGEST
    }

    pub(crate) const fn entries(self) -> Option<usize> {
        None
    }

    pub(crate) const fn unread(self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::super::{TripRule, tests::played};

    #[test]
    fn a_run_trips_at_its_length_and_a_success_breaks_it() {
        let trip_rule = TripRule {
            run: Some(3),
            window: None,
        };
        assert_eq!(played(trip_rule, "xxoxxoxxx"), (3, Some(8)));
        assert_eq!(trip_rule.healthy(), Some(trip_rule.fresh(0)));
    }

    #[test]
    fn a_run_saturates() {
        let trip_rule = TripRule {
            run: None,
            window: None,
        };
        assert_eq!(trip_rule.failure(65_535), 65_535);
        assert_eq!(trip_rule.failure(65_534), 65_535);
    }
}

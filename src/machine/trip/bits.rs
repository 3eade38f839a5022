//! A window of up to 45 calls: a bit for each call, in the word.
//!
//! ```text
//! ..0001 0010 0001      the newest call is bit 0, a failure is a 1
//!      |  `--------- the outcomes, up to n
//!      `------------ a leading 1 above the outcomes seen
//! ```
//!
//! `consecutive(c)` beside the window needs no counter: the run is the ones at the low end. (A run
//! longer than the window never decides, because a window full of failures trips before.) Once the
//! last n calls were successes, one more success gives the same payload, and nothing is written.

#![expect(
    clippy::cast_possible_truncation,
    reason = "`try_from` is not const, and the bits of a payload are few"
)]

use super::{super::word::PAYLOAD_BITS, CompiledThreshold, Count};

/// The last `span` calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bits {
    pub(crate) span: u8,
    pub(crate) threshold: CompiledThreshold,
}

impl Bits {
    /// The longest window, and the longest run beside one, that fits under the leading 1.
    pub(crate) const MOST_CALLS: u16 = PAYLOAD_BITS as u16 - 1;

    pub(crate) const fn fresh(self, _now: u64) -> u64 {
        1
    }

    pub(crate) const fn healthy(self) -> Option<u64> {
        Some(1 << self.span)
    }

    #[inline]
    pub(crate) const fn success(self, payload: u64) -> u64 {
        shift_in(payload, 0, self.span)
    }

    #[inline]
    pub(crate) const fn failure(self, payload: u64, _run: Option<u16>) -> u64 {
        shift_in(payload, 1, self.span)
    }

    #[inline]
    pub(crate) const fn run_length(self, payload: u64) -> u64 {
        // The leading 1 is no failure.
        let (run, seen) = (payload.trailing_ones(), seen(payload));
        (if run < seen { run } else { seen }) as u64
    }

    #[expect(clippy::inline_always, reason = "as for `TripRule::fail_in_word`")]
    #[inline(always)]
    pub(crate) const fn trips(self, payload: u64) -> bool {
        let calls = seen(payload);
        match self.threshold {
            CompiledThreshold::Failures(least) => {
                calls >= least as u32 && self.count(payload).failures >= least as u32
            }
            CompiledThreshold::Percent { percent, min_calls } => {
                calls >= min_calls as u32
                    && self.count(payload).failures * 100 >= percent as u32 * calls
            }
        }
    }

    #[inline]
    pub(crate) const fn count(self, payload: u64) -> Count {
        let calls = seen(payload);
        Count {
            failures: outcomes(payload, calls).count_ones(),
            calls,
        }
    }

    pub(crate) const fn longest_run(self) -> u16 {
        Self::MOST_CALLS
    }

    pub(crate) const fn is_external(self) -> bool {
        false
    }

    pub(crate) const fn records_successes(self) -> bool {
        false
    }
}

#[cfg(test)]
impl Bits {
    pub(crate) const fn is_legal(self, payload: u64, _run: Option<u16>) -> bool {
        payload > 0 && seen(payload) <= self.span as u32
    }

    pub(crate) const fn entries(self) -> Option<usize> {
        None
    }

    pub(crate) const fn unread(self) -> u64 {
        0
    }
}

/// Shifts the newest outcome in at the low end and keeps at most `capacity` under the leading 1.
#[inline]
const fn shift_in(payload: u64, outcome: u64, capacity: u8) -> u64 {
    let shifted = payload << 1 | outcome;
    if seen(shifted) > capacity as u32 {
        1 << capacity | outcomes(shifted, capacity as u32)
    } else {
        shifted
    }
}

/// The number of outcomes under the leading 1.
#[inline]
const fn seen(payload: u64) -> u32 {
    debug_assert!(payload != 0, "a window has a leading 1");
    u64::BITS - 1 - payload.leading_zeros()
}

/// The newest `n` outcomes.
#[inline]
const fn outcomes(payload: u64, n: u32) -> u64 {
    payload & ((1 << n) - 1)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{CompiledWindow, TripRule, tests::played},
        *,
    };

    const fn window(span: u8, run: Option<u16>, threshold: CompiledThreshold) -> TripRule {
        TripRule {
            run,
            window: Some(CompiledWindow::Bits(Bits { span, threshold })),
        }
    }

    #[test]
    fn a_window_forgets_its_oldest_call() {
        let trip_rule = window(4, None, CompiledThreshold::Failures(3));
        assert_eq!(played(trip_rule, "xxoox").1, None);
        assert_eq!(played(trip_rule, "xxox").1, Some(3));
        assert_eq!(played(trip_rule, "xooxx").1, None);
        assert_eq!(played(trip_rule, "xoox").1, None);
    }

    #[test]
    fn a_percentage_waits_for_its_minimum_of_calls() {
        let half = |min_calls| {
            window(
                4,
                None,
                CompiledThreshold::Percent {
                    percent: 50,
                    min_calls,
                },
            )
        };
        assert_eq!(played(half(4), "xxox").1, Some(3));
        assert_eq!(played(half(4), "xxoo").1, None);
        assert_eq!(played(half(4), "xxoox").1, Some(4));
        assert_eq!(played(half(1), "x").1, Some(0));
        assert_eq!(played(half(2), "ox").1, Some(1));
    }

    #[test]
    fn before_a_run_is_longer_than_its_window_that_has_tripped() {
        for threshold in [
            CompiledThreshold::Failures(4),
            CompiledThreshold::Percent {
                percent: 100,
                min_calls: 4,
            },
        ] {
            let trip_rule = window(4, Some(5), threshold);
            assert_eq!(played(trip_rule, "xxxoxxxxx").1, Some(7));
        }
    }

    #[test]
    fn a_run_of_nothing_but_failures_is_not_lengthened_by_the_leading_one() {
        let trip_rule = window(20, Some(5), CompiledThreshold::Failures(20));
        assert_eq!(played(trip_rule, "xxxx").1, None);
        assert_eq!(played(trip_rule, "xxxxx").1, Some(4));
    }

    #[test]
    fn a_full_window_of_successes_stays_as_it_is() {
        for span in 1..=Bits::MOST_CALLS {
            for run in [None, Some(1), Some(Bits::MOST_CALLS)] {
                let trip_rule = window(
                    u8::try_from(span).unwrap(),
                    run,
                    CompiledThreshold::Failures(span),
                );
                let (payload, _) = played(trip_rule, &"o".repeat(usize::from(span)));
                assert_eq!(Some(payload), trip_rule.healthy());
                assert_eq!(trip_rule.success(payload), payload);
            }
        }
    }

    #[test]
    fn the_widest_window_fits_its_payload() {
        let trip_rule = window(
            45,
            Some(45),
            CompiledThreshold::Percent {
                percent: 100,
                min_calls: 45,
            },
        );
        let (payload, at) = played(trip_rule, &"x".repeat(45));
        assert_eq!(at, Some(44));
        assert_eq!(payload, (1 << 46) - 1);
        assert_eq!(
            trip_rule.count(payload),
            Count {
                failures: 45,
                calls: 45
            }
        );
    }
}

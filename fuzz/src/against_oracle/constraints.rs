//! Restrictions on the clock in games with a time window.
//!
//! They exclude the documented limits of these windows (*What wraps* in `failure_ring.rs` and
//! `time_buckets.rs`). The clock starts at least a year from either end of its range. In all it
//! moves at most a year, or half of the range of a bucket's number. With time buckets the clock
//! never steps back, since the oracle can't judge a step back.

use std::time::Duration;

use cutout::{Policy, Span, Threshold};

use super::oracle::lockstep::{Op, Setup};

const DAY: Duration = Duration::from_hours(24);
const YEAR: Duration = Duration::from_hours(365 * 24);
const YEAR_NANOS: u64 = 365 * 86_400 * 1_000_000_000;
/// Half of the number of buckets that a word distinguishes.
const BUCKETS: u32 = 1 << 28;

/// The restrictions of one game.
pub(super) struct Constraints(Option<Limits>);

struct Limits {
    tenth: Duration,
    has_buckets: bool,
    /// The remaining distance that the clock may move, forward and back.
    left: Duration,
    longest_open: Duration,
}

impl Constraints {
    /// Moves the start of the clock into the allowed range.
    pub(super) fn new(setup: &mut Setup) -> Self {
        let limits = Limits::of(&setup.policy);
        if limits.is_some() && !(YEAR_NANOS..500 * YEAR_NANOS).contains(&setup.start) {
            setup.start = YEAR_NANOS + setup.start % YEAR_NANOS;
        }
        *setup = setup.without_the_wrap_of_bucket_starts();
        Self(limits)
    }

    /// Returns true if the game has a time window.
    pub(super) fn has_time_window(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the operation, restricted as needed, or `None` if the operation is not allowed.
    pub(super) fn play(&mut self, op: Op) -> Option<Op> {
        match &mut self.0 {
            Some(limits) => limits.play(op),
            None => Some(op),
        }
    }
}

impl Limits {
    fn of(policy: &Policy) -> Option<Self> {
        let window = policy.trip.window?;
        let Span::Within(time) = window.span else {
            return None;
        };
        let has_buckets = matches!(window.threshold, Threshold::Percent { .. });
        let tenth = time / 10;
        Some(Self {
            tenth,
            has_buckets,
            left: if has_buckets {
                YEAR.min(tenth * BUCKETS)
            } else {
                YEAR
            },
            // The cap with full jitter, or a hint of one hour.
            longest_open: (policy.backoff.cap * 2).max(DAY / 24),
        })
    }

    fn play(&mut self, mut op: Op) -> Option<Op> {
        if self.has_buckets {
            match &mut op {
                Op::StepBack(_) => return None,
                Op::ToDeadline(nanos) | Op::ToLeaseEnd(nanos) => *nanos = (*nanos).max(0),
                // A tenth is at least 10 ms long.
                Op::Tenths(tenths, nanos) => {
                    *tenths = (*tenths).max(1);
                    *nanos = (*nanos).max(-1_000_000);
                }
                Op::ToTenth(nanos) => *nanos = (*nanos).max(-1),
                _ => {}
            }
        }
        self.left = self.left.checked_sub(self.length(op)?)?;
        if let Op::ForceOpenFor(time) = op {
            self.longest_open = self.longest_open.max(time.min(30 * DAY));
        }
        Some(op)
    }

    /// An upper bound on the movement of the clock, or `None` if the operation is not allowed.
    fn length(&self, op: Op) -> Option<Duration> {
        let and = |time: Duration, nanos: i64| time + Duration::from_nanos(nanos.unsigned_abs());
        Some(match op {
            Op::SetClock(_) => return None,
            Op::Advance(time)
            | Op::StepBack(time)
            | Op::Call { takes: time, .. }
            | Op::Cancel { after: time } => time,
            Op::Play { calls, gap, .. } => gap.saturating_mul(calls),
            Op::ToDeadline(nanos) => and(self.longest_open, nanos),
            Op::ToLeaseEnd(nanos) => and(DAY, nanos),
            Op::Tenths(tenths, nanos) => and(self.tenth * tenths, nanos),
            Op::ToTenth(nanos) => and(self.tenth, nanos),
            _ => Duration::ZERO,
        })
    }
}

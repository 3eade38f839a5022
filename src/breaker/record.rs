//! Outcome of a call: records it, and notifies.

use core::{num::NonZeroU32, time::Duration};

use crate::{
    Outcome, Recorded,
    machine::{
        core::Done,
        rules::{CompiledOnDrop, LONGEST_HINT_MS},
        step::Event,
        word::{Period, Word},
    },
};

use super::{Breaker, admission::Admission};

const NANOS_PER_MS: u64 = 1_000_000;

impl Breaker {
    /// Records the outcome of a call that returned.
    #[inline]
    pub(crate) fn record(&self, admission: Admission, outcome: Outcome) -> Recorded {
        if matches!(outcome, Outcome::Success) {
            match self.core.record_success(admission.period) {
                Ok(_) => return Recorded::Applied,
                Err(seen) if !self.core.is_observed() => {
                    return self.record_success_slow(seen, admission.period);
                }
                Err(_) => {}
            }
        } else if matches!(outcome, Outcome::Failure) && !self.core.is_observed() {
            return self.record_failure(admission.period);
        }
        self.record_slow(admission, outcome)
    }

    /// Records a drop of a permit that no panic of its call caused. The drop is a failure if the
    /// policy says so, and otherwise has the given outcome.
    pub(crate) fn record_drop(&self, admission: Admission, outcome: Outcome) -> Recorded {
        let probe = admission.period.is_half_open();
        let held_for = |limit| {
            let now = self.now();
            (elapsed(admission, now) >= limit_nanos(limit), Some(now))
        };
        let (failed, now) = match self.core.rules.effective_on_drop() {
            CompiledOnDrop::Failure => (true, None),
            CompiledOnDrop::FailProbe => (probe, None),
            CompiledOnDrop::FailProbeAfter(limit) if probe => held_for(limit),
            CompiledOnDrop::FailProbeAfter(_) | CompiledOnDrop::Ignore => (false, None),
            CompiledOnDrop::FailureAfter(limit) => held_for(limit),
        };
        let outcome = if failed { Outcome::Failure } else { outcome };
        self.record_and_notify(admission, outcome, now)
    }

    /// The slow path of a success: one jump to a function that saves few registers.
    #[inline(never)]
    fn record_success_slow(&self, seen: Word, period: Period) -> Recorded {
        #[cfg(feature = "std")]
        if self.core.is_counted() {
            return self.record_success_counted(seen, period);
        }
        self.record_success_uncounted(seen, period)
    }

    /// A success of a breaker that counts its calls. Nearly all are healthy.
    #[cfg(feature = "std")]
    #[inline(never)]
    fn record_success_counted(&self, seen: Word, period: Period) -> Recorded {
        match self.count_success(seen, period) {
            Some(true) => return Recorded::Applied,
            Some(false) => {}
            None => return self.record_first_success_counted(seen, period),
        }
        self.record_success_uncounted(seen, period)
    }

    #[cfg(feature = "std")]
    #[cold]
    fn record_first_success_counted(&self, seen: Word, period: Period) -> Recorded {
        self.count_outcome(Outcome::Success);
        self.record_success_uncounted(seen, period)
    }

    #[inline]
    fn record_success_uncounted(&self, seen: Word, period: Period) -> Recorded {
        if self.core.counts_in_buckets() {
            self.record_success_in_bucket(seen, period)
        } else {
            self.record_success_in_word(seen, period)
        }
    }

    /// A success of a closed period makes no transition, and needs neither clock nor notification.
    #[inline(never)]
    fn record_success_in_word(&self, seen: Word, period: Period) -> Recorded {
        if period.is_half_open() {
            return self.record_success_of_probe(seen, period);
        }
        self.core.record_success_in_word(
            seen,
            period,
            || self.now(),
            move |done| self.finish_record(period, Outcome::Success, done, false),
        )
    }

    /// The body is that of [`Breaker::record_success_in_word`], where it is compiled without clock
    /// and notification. A function that both inline costs the other 34 instructions.
    #[inline(never)]
    fn record_success_of_probe(&self, seen: Word, period: Period) -> Recorded {
        self.core.record_success_in_word(
            seen,
            period,
            || self.now(),
            move |done| self.finish_record(period, Outcome::Success, done, false),
        )
    }

    #[inline(never)]
    fn record_success_in_bucket(&self, seen: Word, period: Period) -> Recorded {
        self.core.record_success_in_bucket(
            seen,
            period,
            || self.now(),
            move |done| self.finish_record(period, Outcome::Success, done, false),
        )
    }

    /// A failure of an unobserved call, without a hint.
    #[inline(never)]
    fn record_failure(&self, period: Period) -> Recorded {
        #[cfg(feature = "std")]
        self.count_outcome(Outcome::Failure);
        self.core.record_failure(
            period,
            0,
            || self.now(),
            move |done| self.finish_record(period, Outcome::Failure, done, false),
        )
    }

    #[inline(never)]
    fn record_slow(&self, admission: Admission, outcome: Outcome) -> Recorded {
        let Some(limit) = self.core.rules.slow_call else {
            return self.record_and_notify(admission, outcome, None);
        };
        let now = self.now();
        let outcome = match outcome {
            Outcome::Success | Outcome::Ignored
                if elapsed(admission, now) >= limit_nanos(limit) =>
            {
                Outcome::Failure
            }
            outcome => outcome,
        };
        self.record_and_notify(admission, outcome, Some(now))
    }

    /// Records an outcome. Notifies listeners of the call, then of the transition that the outcome
    /// caused. `now` is the clock reading, if there was one already.
    fn record_and_notify(
        &self,
        admission: Admission,
        outcome: Outcome,
        now: Option<u64>,
    ) -> Recorded {
        let (core, period) = (&self.core, admission.period);
        #[cfg(feature = "std")]
        self.count_outcome(outcome);
        let clock = || now.unwrap_or_else(|| self.now());
        let finish = |done| self.finish_record(period, outcome, done, core.is_observed());
        match outcome {
            Outcome::Success => finish(core.record_success_observed(period, clock)),
            Outcome::Failure | Outcome::FailureFor(_) => {
                core.record_failure(period, hint_ms(outcome), clock, finish)
            }
            Outcome::Ignored => finish(core.record_ignored(period)),
        }
    }

    /// Notifies listeners of an outcome, then of the transition that the outcome caused. Returns
    /// the verdict.
    #[inline]
    fn finish_record(
        &self,
        period: Period,
        outcome: Outcome,
        done: Done<Recorded>,
        is_observed: bool,
    ) -> Recorded {
        self.notify_of_outcome(period, outcome, done.verdict, is_observed);
        self.notify(&done, Event::Record);
        done.verdict
    }
}

/// The duration of a call, also across the end of the clock's range; zero if the clock stepped
/// back.
fn elapsed(admission: Admission, now: u64) -> u64 {
    let elapsed = now.wrapping_sub(admission.admitted_at);
    if elapsed > u64::MAX / 2 { 0 } else { elapsed }
}

fn limit_nanos(limit_ms: NonZeroU32) -> u64 {
    u64::from(limit_ms.get()) * NANOS_PER_MS
}

/// The hint of an outcome, in milliseconds.
fn hint_ms(outcome: Outcome) -> u64 {
    match outcome {
        Outcome::FailureFor(hint) => millis_up(hint).min(LONGEST_HINT_MS),
        _ => 0,
    }
}

/// Whole milliseconds, rounded up.
pub(super) fn millis_up(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(u128::from(NANOS_PER_MS))).unwrap_or(u64::MAX)
}

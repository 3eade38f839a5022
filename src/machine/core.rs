//! The core of a breaker: word, rules, fast path and window. It does load, decide, CAS and retry.
//!
//! | operation | function | slow path |
//! |---|---|---|
//! | a call asks for admission | [`admit`](Core::admit), [`reject`](Core::reject) | [`admit_slow`](Core::admit_slow) |
//! | a call succeeds | [`record_success`](Core::record_success) | [`in_word`], [`in_bucket`] |
//! | a call fails | [`record_failure`](Core::record_failure) | |
//! | a call is ignored | [`record_ignored`](Core::record_ignored) | |
//! | an operator acts | [`operate`](Core::operate) | |
//! | a caller inspects | [`load`], [`peek`](Core::peek), [`count`](Core::count) | |
//!
//! A slow path gets the word that its fast path loaded. No call of an [observed](Core::is_observed)
//! core takes a fast path: [`admit_observed`] and [`record_success_observed`] serve these calls.
//! `Breaker` is a core with a clock and listeners, and the models drive the same core.
//!
//! Rules:
//!
//! 1. The clock is an argument. An operation reads the clock only if needed, and after the load of
//!    the word (rule 4 of the machine). A CAS that can make a transition comes after the reading: a
//!    clock that panics leaves no transition without a notification.
//! 2. An operation returns its effect as data, [`Done`], and the caller notifies. Five functions
//!    take the caller's continuation as a closure instead: [`admit_slow`](Core::admit_slow),
//!    [`admit_observed`], [`in_word`], [`in_bucket`] and [`record_failure`](Core::record_failure).
//!    A short path then moves no data through memory.
//! 3. An operation runs no user code except the clock.
//!
//! [`in_word`]: Core::record_success_in_word
//! [`in_bucket`]: Core::record_success_in_bucket
//! [`load`]: Core::load
//! [`admit_observed`]: Core::admit_observed
//! [`record_success_observed`]: Core::record_success_observed

use crate::sync::{AtomicU64, pause};

use super::{
    atomic_word::{AtomicWord, Decided},
    fast_path::FastPath,
    hints::Hints,
    rules::Rules,
    step::{
        AdmitVerdict, Command, Recorded, Report, Step, TimeSample, admit,
        admit::{RejectReason, admit_unrejected},
        operate, record,
        record::{TrippingWord, Untimed, record_failure_untimed},
        reject_fast, reject_reason,
    },
    trip::{
        Count, TripRule,
        slot::{FailedCall, Slot},
    },
    word::{Period, Phase, State, Word},
};

/// The word of a breaker and all that decides about it. `S` is the slot of an external window.
#[derive(Debug)]
pub(crate) struct Core<S> {
    /// (Visible to the crate for the planted bugs of `loom-tests`, which misuse it.)
    pub(crate) word: AtomicWord,
    pub(crate) rules: Rules,
    fast_path: FastPath,
    hints: Hints,
    pub(crate) window: S,
}

/// The effect of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done<V> {
    /// The word of the decision, and the word after it.
    pub(crate) before: Word,
    pub(crate) after: Word,
    pub(crate) verdict: V,
    /// The clock reading of the decision, if there was one.
    pub(crate) now: Option<u64>,
    /// The counts of a trip, if the step knows them.
    pub(crate) counted: Option<Count>,
}

impl<V> Done<V> {
    #[inline]
    fn of<C>(decided: Decided<C, V>, now: Option<u64>) -> Self {
        Self {
            before: decided.before,
            after: decided.after,
            verdict: decided.verdict,
            now,
            counted: None,
        }
    }

    #[inline]
    const fn unchanged(word: Word, verdict: V, now: Option<u64>) -> Self {
        Self {
            before: word,
            after: word,
            verdict,
            now,
            counted: None,
        }
    }

    /// Whether a period ended.
    #[inline]
    pub(crate) fn is_transition(&self) -> bool {
        self.before.period() != self.after.period()
    }
}

#[cfg(test)]
impl<S> Core<S> {
    /// The bytes that a healthy call reads: the word and the fast path.
    pub(crate) const OF_A_HEALTHY_CALL: core::ops::Range<usize> = {
        let (word, fast_path) = (
            core::mem::offset_of!(Self, word),
            core::mem::offset_of!(Self, fast_path),
        );
        let (word_end, fast_path_end) = (
            word + size_of::<AtomicWord>(),
            fast_path + size_of::<FastPath>(),
        );
        let start = if word < fast_path { word } else { fast_path };
        let end = if word_end > fast_path_end {
            word_end
        } else {
            fast_path_end
        };
        start..end
    };
}

impl<S> Core<S> {
    /// A core over two atomics, which hold the bits of a word and 0.
    ///
    /// `observed` means that each call is timed or reported: no call takes the fast path.
    pub(crate) const fn over(
        word: AtomicU64,
        hint: AtomicU64,
        rules: Rules,
        observed: bool,
        window: S,
    ) -> Self {
        Self {
            word: AtomicWord::over(word),
            fast_path: if observed {
                FastPath::none()
            } else {
                FastPath::new(&rules)
            },
            hints: Hints::over(hint),
            rules,
            window,
        }
    }

    /// Disables the fast path of all calls.
    #[cfg(feature = "std")]
    pub(crate) const fn disable_fast_path(&mut self) {
        self.fast_path = self.fast_path.without_admissions();
    }

    /// Disables the fast path of successes, so that the caller can count each.
    #[cfg(feature = "std")]
    pub(crate) const fn count_successes(&mut self) {
        self.fast_path = self.fast_path.without_successes();
    }

    /// Whether the caller counts each success.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) const fn is_counted(&self) -> bool {
        self.fast_path.has_no_successes()
    }

    /// Whether no call takes the fast path.
    #[inline]
    pub(crate) const fn is_observed(&self) -> bool {
        self.fast_path.is_none()
    }

    #[inline]
    pub(crate) fn load(&self) -> Word {
        self.word.load()
    }

    /// A call asks for admission. `Ok` is the word that admits the call unchanged, `Err` the word
    /// for [`Core::admit_slow`].
    #[inline]
    pub(crate) fn admit(&self) -> Result<Word, Word> {
        let seen = self.word.load();
        if self.fast_path.admits(seen) {
            Ok(seen)
        } else {
            Err(seen)
        }
    }

    /// Rejects a call of an open breaker at `now`, in most cases. After `None`,
    /// [`Core::admit_slow`] decides.
    #[inline]
    pub(crate) const fn reject(&self, seen: Word, now: u64) -> Option<RejectReason> {
        reject_fast(seen, &self.rules, now)
    }

    /// The slow path of [`Core::admit`], at a reading of the clock after the load of the word. It
    /// tries a rejection first.
    ///
    /// Both closures are continuations of the caller. `rejected` runs if the word rejects the call
    /// and does not change. Otherwise `decided` runs.
    #[expect(
        clippy::inline_always,
        reason = "saves a rejection a call and the moves around it"
    )]
    #[inline(always)]
    pub(crate) fn admit_slow<T>(
        &self,
        seen: Word,
        now: u64,
        clock: impl Fn() -> u64,
        rejected: impl FnOnce(RejectReason) -> T,
        decided: impl FnOnce(Done<AdmitVerdict>) -> T,
    ) -> T {
        match reject_reason(seen, &self.rules, now) {
            Some(reason) => rejected(reason),
            None => self.admit_by_step(seen, now, clock, decided),
        }
    }

    /// Admits or rejects a call by `admit`, in the CAS loop. Most often the call takes a slot.
    #[inline]
    fn admit_by_step<T>(
        &self,
        seen: Word,
        now: u64,
        clock: impl Fn() -> u64,
        decided: impl FnOnce(Done<AdmitVerdict>) -> T,
    ) -> T {
        let rules = &self.rules;
        let admit_first = move |word, moment| admit_unrejected(word, rules, moment);
        match self.word.try_update(seen, self.moment(now), admit_first) {
            Ok(step) => decided(Done::of(step, Some(now))),
            Err(current) => {
                let step = self.word.update_again(
                    current,
                    move || self.moment(clock()),
                    move |word, moment| admit(word, rules, moment),
                );
                decided(Done::of(step, Some(step.prepared.now)))
            }
        }
    }

    /// [`Core::admit_slow`] of an observed call. A closed breaker needs no clock.
    pub(crate) fn admit_observed<T>(
        &self,
        seen: Word,
        clock: impl Fn() -> u64,
        rejected: impl FnOnce(RejectReason, u64) -> T,
        decided: impl FnOnce(Done<AdmitVerdict>) -> T,
    ) -> T {
        if seen.is_closed() {
            let admitted = AdmitVerdict::Admitted(seen.period());
            return decided(Done::unchanged(seen, admitted, None));
        }
        let now = clock();
        self.admit_slow(seen, now, clock, |reason| rejected(reason, now), decided)
    }

    /// The reason to reject a call at `now`, if the rejection makes no transition.
    #[inline]
    pub(crate) const fn peek(&self, seen: Word, now: u64) -> Option<RejectReason> {
        reject_reason(seen, &self.rules, now)
    }

    /// A call of `period` succeeds. `Ok` is the word that the success does not change, `Err` the
    /// word for [`Core::record_success_in_word`] or [`Core::record_success_in_bucket`].
    #[inline]
    pub(crate) fn record_success(&self, period: Period) -> Result<Word, Word> {
        let seen = self.word.load();
        if self.fast_path.changes_nothing(seen, period) {
            Ok(seen)
        } else {
            Err(seen)
        }
    }

    /// A call of `period` ends with an outcome that is not counted.
    pub(crate) fn record_ignored(&self, period: Period) -> Done<Recorded> {
        let seen = self.word.load();
        let record = |word, ()| record(word, period, Report::Ignored, &self.rules);
        Done::of(self.word.update(seen, (), || (), record), None)
    }

    /// An operator acts.
    pub(crate) fn operate(&self, command: Command, clock: impl Fn() -> u64) -> Done<State> {
        let seen = self.word.load();
        let moment = self.moment(clock());
        let operate = |word, ()| operate(word, command, &self.rules, moment);
        let decided = self.word.update(seen, (), || (), operate);
        Done::of(decided, Some(moment.now))
    }

    /// Counts a success in the word. Only a trip that counts in time buckets uses `now`.
    #[inline]
    fn success(&self, seen: Word, period: Period, now: Option<u64>) -> Done<Recorded> {
        self.success_then(seen, period, now, |done| done)
    }

    #[inline]
    fn success_then<T>(
        &self,
        seen: Word,
        period: Period,
        now: Option<u64>,
        then: impl FnOnce(Done<Recorded>) -> T,
    ) -> T {
        let at = now.unwrap_or(0);
        let rules = &self.rules;
        let record = move |word, ()| record(word, period, Report::Success { now: at }, rules);
        self.word.update_then(
            seen,
            (),
            || (),
            record,
            |decided| then(Done::of(decided, now)),
        )
    }

    /// A clock reading with the salt of the jitter: the seed, or the address of the core.
    fn moment(&self, now: u64) -> TimeSample {
        let backoff = &self.rules.backoff;
        let salt = if backoff.seeded {
            backoff.seed
        } else {
            core::ptr::from_ref(self).addr() as u64
        };
        TimeSample { now, salt }
    }
}

impl<S: Slot> Core<S> {
    /// Whether successes are counted in time buckets, and take [`Core::record_success_in_bucket`].
    ///
    /// (The caller chooses between two functions, because each is inlined into a function of its
    /// own that saves few registers.)
    #[inline]
    pub(crate) const fn counts_in_buckets(&self) -> bool {
        self.rules.trip_rule.records_successes()
    }

    /// The slow path of a success that is counted in the word. `then` is the caller's continuation.
    #[inline]
    pub(crate) fn record_success_in_word<T>(
        &self,
        seen: Word,
        period: Period,
        clock: impl Fn() -> u64,
        then: impl FnOnce(Done<Recorded>) -> T,
    ) -> T {
        debug_assert!(!self.counts_in_buckets(), "its buckets would lose it");
        self.success_then(seen, period, Self::now_of_probe(period, clock), then)
    }

    /// The slow path of a success that is counted in a time bucket. Most successes are counted only
    /// there, without the clock. `then` is the caller's continuation.
    #[inline]
    pub(crate) fn record_success_in_bucket<T>(
        &self,
        seen: Word,
        period: Period,
        clock: impl Fn() -> u64,
        then: impl FnOnce(Done<Recorded>) -> T,
    ) -> T {
        if seen.is_of(period) && TripRule::has_no_run(seen) && self.count_untimed(seen) {
            return then(Done::unchanged(seen, Recorded::Applied, None));
        }
        self.record_success_in_bucket_slow(seen, period, clock, then)
    }

    #[inline(never)]
    fn record_success_in_bucket_slow<T>(
        &self,
        seen: Word,
        period: Period,
        clock: impl Fn() -> u64,
        then: impl FnOnce(Done<Recorded>) -> T,
    ) -> T {
        then(self.success_in_bucket(seen, period, clock()))
    }

    /// The clock, for a probe. Of successes that are counted in the word, only a probe recovers.
    #[inline]
    fn now_of_probe(period: Period, clock: impl Fn() -> u64) -> Option<u64> {
        if period.is_half_open() {
            Some(clock())
        } else {
            None
        }
    }

    /// Counts a success at `now` in its time bucket, and ends the run in the word, if there is one.
    #[expect(clippy::inline_always, reason = "so that its slow path needs no call")]
    #[inline(always)]
    fn success_in_bucket(&self, seen: Word, period: Period, now: u64) -> Done<Recorded> {
        if period.is_closed()
            && seen.is_of(period)
            && let Some(window) = self.window.get_or_make(&self.rules)
        {
            window.succeed(self.window.number_thread(), &self.word, seen, now);
            if TripRule::has_no_run(seen) {
                return Done::unchanged(seen, Recorded::Applied, Some(now));
            }
        }
        self.success(seen, period, Some(now))
    }

    /// Counts a success of the closed period of `seen` without the clock, and returns whether that
    /// was possible.
    #[inline]
    fn count_untimed(&self, seen: Word) -> bool {
        // To the compiler, the access to a thread-local is a call. It comes first, so that few
        // values are saved across the call.
        let thread = self.window.thread();
        match self.window.get() {
            Some(window) => window.succeed_untimed(thread, seen.generation()),
            None => false,
        }
    }

    /// An observed call of `period` succeeds. A time bucket counts it by the clock.
    pub(crate) fn record_success_observed(
        &self,
        period: Period,
        clock: impl Fn() -> u64,
    ) -> Done<Recorded> {
        let seen = self.word.load();
        if self.counts_in_buckets() {
            self.success_in_bucket(seen, period, clock())
        } else {
            self.success(seen, period, Self::now_of_probe(period, clock))
        }
    }

    /// A call of `period` fails. `hint_ms` is the pause that the dependency asked for, or 0. `then`
    /// is the caller's continuation.
    ///
    /// A failure that counts in the word and makes no transition needs no clock.
    #[inline]
    pub(crate) fn record_failure<T>(
        &self,
        period: Period,
        hint_ms: u64,
        clock: impl Fn() -> u64,
        then: impl FnOnce(Done<Recorded>) -> T,
    ) -> T {
        let seen = self.word.load();
        if hint_ms > 0 {
            return self.record_failure_timed(seen, period, hint_ms, clock, then);
        }
        match record_failure_untimed(seen, period, &self.rules) {
            Untimed::Step(Step { word, verdict }) => {
                let stored = if word == seen {
                    Ok(())
                } else {
                    self.word.replace(seen, word)
                };
                match stored {
                    Ok(()) => then(Done {
                        after: word,
                        ..Done::unchanged(seen, verdict, None)
                    }),
                    Err(current) => self.record_failure_again(current, period, clock, then),
                }
            }
            Untimed::Trips(trip) => self.trip(seen, trip, period, clock, then),
            Untimed::Unknown => self.record_failure_timed(seen, period, hint_ms, clock, then),
        }
    }

    /// [`Core::record_failure`] without a hint, after a lost CAS. (The first attempt is a function
    /// of its own, so that it saves few registers.)
    #[cold]
    #[inline(never)]
    fn record_failure_again<T>(
        &self,
        mut seen: Word,
        period: Period,
        clock: impl Fn() -> u64,
        then: impl FnOnce(Done<Recorded>) -> T,
    ) -> T {
        loop {
            pause();
            let Untimed::Step(Step { word, verdict }) =
                record_failure_untimed(seen, period, &self.rules)
            else {
                return self.record_failure_timed(seen, period, 0, clock, then);
            };
            let done = Done {
                after: word,
                ..Done::unchanged(seen, verdict, None)
            };
            if word == seen {
                return then(done);
            }
            match self.word.replace(seen, word) {
                Ok(()) => return then(done),
                Err(current) => seen = current,
            }
        }
    }

    /// A failure trips `seen` by the counts in that word.
    #[inline(never)]
    fn trip<T>(
        &self,
        seen: Word,
        trip: TrippingWord,
        period: Period,
        clock: impl Fn() -> u64,
        then: impl FnOnce(Done<Recorded>) -> T,
    ) -> T {
        // The processor counts while it reads the clock.
        let counted = Some(trip.count(&self.rules));
        let now = clock();
        let hint_ms = self.hints.running(period, now);
        let Step { word, verdict } = trip.open(hint_ms, &self.rules, self.moment(now));
        match self.word.replace(seen, word) {
            Ok(()) => then(Done {
                before: seen,
                after: word,
                verdict,
                now: Some(now),
                counted,
            }),
            Err(current) => {
                pause();
                self.record_failure_at(current, period, now, then)
            }
        }
    }

    #[inline(never)]
    fn record_failure_timed<T>(
        &self,
        seen: Word,
        period: Period,
        hint_ms: u64,
        clock: impl Fn() -> u64,
        then: impl FnOnce(Done<Recorded>) -> T,
    ) -> T {
        let now = clock();
        let hints = &self.hints;
        if hint_ms > 0 {
            hints.note(period, now, hint_ms, || self.word.load().is_of(period));
        }
        if self.rules.trip_rule.is_external()
            && period.is_closed()
            && let Some(window) = self.window.get_or_make(&self.rules)
        {
            let failure = FailedCall {
                period,
                moment: self.moment(now),
                hints,
            };
            let decided = window.fail(&self.word, seen, failure, &self.rules);
            return then(Done {
                counted: decided.prepared,
                ..Done::of(decided, Some(now))
            });
        }
        self.record_failure_at(seen, period, now, then)
    }

    /// Records a failure at `now` in the word.
    #[inline(never)]
    fn record_failure_at<T>(
        &self,
        seen: Word,
        period: Period,
        now: u64,
        then: impl FnOnce(Done<Recorded>) -> T,
    ) -> T {
        let (moment, hints, rules) = (self.moment(now), &self.hints, &self.rules);
        // Read again for each word: a failure that the word has counted may have had a hint.
        let hint = move || hints.running(period, now);
        let record = move |word, hint_ms| {
            let report = Report::Failure { moment, hint_ms };
            record(word, period, report, rules)
        };
        self.word
            .update_then(seen, hint(), hint, record, |decided| {
                then(Done::of(decided, Some(now)))
            })
    }

    /// The counts in the window of a closed word at `now`; without a window, the run of failures.
    pub(crate) fn count(&self, word: Word, now: u64) -> Count {
        let Phase::Closed(payload) = word.phase() else {
            return Count::default();
        };
        // An inspection allocates no window.
        match self.window.get() {
            Some(window) => window.count(word, now),
            None => self.rules.trip_rule.count(payload),
        }
    }
}

//! The shipped core as a subject: forwards requests to the core, and translates its verdicts.
//!
//! The machine is the one in `super`, so that a patched copy uses this file too (`bugs/patched`).

use std::ops::Deref;

use super::machine::{
    core::{Core, Done},
    diagnostics::Diagnostics,
    event_count::EventCount,
    rules::{CompiledBackoff, Rules},
    step::{AdmitVerdict, Command, RawTransition, Recorded, Report},
    transition_queue::TransitionQueue,
    trip::{Count, external::ExternalWindow, slot::Slot},
    word::{Period, Word},
};
use crate::{
    subject::{Dispatcher, Notification, StepResult, Subject, Verdict, Waker},
    sync::{self, AtomicU32, AtomicU64},
};

/// One shard, so that all successes contend for it.
const SHARDS: usize = 1;

/// The core of `Breaker`, with its window allocated at construction. (The lazy allocation of the
/// window is not modelled.)
pub(crate) struct Shipped(Core<Eager>);

impl Deref for Shipped {
    type Target = Core<Eager>;

    fn deref(&self) -> &Core<Eager> {
        &self.0
    }
}

/// The slot of a window that is allocated with the core.
pub(crate) struct Eager(Option<ExternalWindow>);

impl Slot for Eager {
    fn get(&self) -> Option<&ExternalWindow> {
        self.0.as_ref()
    }

    fn get_or_make(&self, _: &Rules) -> Option<&ExternalWindow> {
        self.0.as_ref()
    }

    fn thread(&self) -> usize {
        sync::actor()
    }

    fn number_thread(&self) -> usize {
        sync::actor()
    }
}

impl Subject for Shipped {
    type Dispatcher = Listeners;
    type Waker = Watchers;

    fn at(word: Word, rules: Rules) -> Self {
        // The salt of `moment`, which the single steps that explain a history use too.
        let backoff = CompiledBackoff {
            seeded: true,
            seed: 0,
            ..rules.backoff
        };
        let rules = Rules { backoff, ..rules };
        let window = Eager(ExternalWindow::new(&rules, || SHARDS));
        let (word, hint) = (AtomicU64::new(word.bits()), AtomicU64::new(0));
        Self(Core::over(word, hint, rules, false, window))
    }

    fn word(&self) -> Word {
        self.load()
    }

    fn admit(&self, clock: &dyn Fn() -> u64) -> StepResult {
        match self.0.admit() {
            Ok(word) => unwritten(word, Verdict::Admitted(word.period())),
            Err(seen) => {
                let now = clock();
                let rejected = |reason| unwritten(seen, Verdict::Rejected(reason));
                match self.reject(seen, now) {
                    Some(reason) => rejected(reason),
                    None => self.admit_slow(seen, now, clock, rejected, |done| {
                        step_result(done, admit_verdict)
                    }),
                }
            }
        }
    }

    fn record(&self, period: Period, report: Report) -> StepResult {
        match report {
            Report::Success { now } => match self.record_success(period) {
                Ok(word) => unwritten(word, Verdict::Recorded(Recorded::Applied)),
                Err(seen) if self.counts_in_buckets() => {
                    self.record_success_in_bucket(seen, period, || now, recorded)
                }
                Err(seen) => self.record_success_in_word(seen, period, || now, recorded),
            },
            Report::Failure { moment, hint_ms } => {
                self.record_failure(period, hint_ms, || moment.now, recorded)
            }
            Report::Ignored => recorded(self.record_ignored(period)),
        }
    }

    fn operate(&self, command: Command, now: u64) -> StepResult {
        step_result(self.0.operate(command, || now), Verdict::Found)
    }

    fn counted(&self, now: u64) -> Count {
        self.count(self.load(), now)
    }
}

/// Like `Listeners` in `src/breaker/notify.rs`, with the diagnostics that are written first.
pub(crate) struct Listeners(TransitionQueue, Diagnostics);

impl Dispatcher for Listeners {
    fn beginning_at(generation: u16) -> Self {
        let diagnostics = Diagnostics::over(AtomicU64::new(0), AtomicU64::new(0));
        Self(TransitionQueue::from(generation), diagnostics)
    }

    fn notify(
        &self,
        change: RawTransition,
        newest: &dyn Fn() -> u16,
        listen: &dyn Fn(Notification),
    ) {
        if !self.0.push(change, newest) {
            return;
        }
        while let Some(queued) = self.0.pop() {
            listen(Notification {
                generation: queued.change.generation,
                missed: queued.missed,
            });
        }
    }

    fn write_diagnostics(&self, generation: u16, now: u64, newest: &dyn Fn() -> u16) {
        self.1.write_start(generation, now, newest);
    }

    fn period_start(&self, generation: u16) -> Option<u64> {
        self.1
            .period_start(generation)
            .map(|ticks| ticks.get() * 250_000)
    }
}

/// Like the event count that `Breaker::watch` waits on.
pub(crate) struct Watchers(EventCount);

impl Waker for Watchers {
    fn new() -> Self {
        Self(EventCount::over(AtomicU32::new(0)))
    }

    fn watch(&self, look: &dyn Fn() -> Option<Option<u16>>) -> Option<u16> {
        self.0.watch(look)
    }

    fn notify_all(&self) {
        self.0.notify_all();
    }

    fn notify_after(&self, change: &dyn Fn()) {
        self.0.notify_after(change);
    }
}

pub(crate) fn unwritten(word: Word, verdict: Verdict) -> StepResult {
    StepResult {
        verdict,
        before: word,
        after: word,
        counted: None,
    }
}

fn step_result<V>(done: Done<V>, verdict: impl Fn(V) -> Verdict) -> StepResult {
    StepResult {
        verdict: verdict(done.verdict),
        before: done.before,
        after: done.after,
        counted: done.counted,
    }
}

fn recorded(done: Done<Recorded>) -> StepResult {
    step_result(done, Verdict::Recorded)
}

fn admit_verdict(verdict: AdmitVerdict) -> Verdict {
    match verdict {
        AdmitVerdict::Admitted(period) => Verdict::Admitted(period),
        AdmitVerdict::Rejected(reason) => Verdict::Rejected(reason),
    }
}

//! Records the operations on a breaker, with their verdicts and clock readings.

use std::{cell::Cell, mem, time::Instant};

use cutout::{
    Breaker, Outcome, Permit,
    clock::{Clock, Manual},
};

use super::sequential::{AdmittedCall, HistoryEvent, Invocation, Operation, Response};

thread_local! {
    /// The last reading of this thread, and the number of readings.
    static READ: Cell<(Option<u64>, usize)> = const { Cell::new((None, 0)) };
}

/// A manual clock that records its last reading for each thread.
pub(crate) struct RecordingClock(pub(crate) Manual);

impl Clock for RecordingClock {
    fn now(&self) -> u64 {
        let now = self.0.now();
        let (_, times) = READ.get();
        READ.set((Some(now), times + 1));
        now
    }
}

/// The recorder of one thread's part of a history.
pub(crate) struct Recorder<'a> {
    breaker: &'a Breaker,
    since: Instant,
    held: Vec<Permit<'a>>,
    pub(crate) events: Vec<HistoryEvent>,
    /// Admissions that read the clock again, which happens only after a failed CAS.
    pub(crate) failed_cas: usize,
}

impl<'a> Recorder<'a> {
    pub(crate) fn of(breaker: &'a Breaker, since: Instant, held: Vec<Permit<'a>>) -> Self {
        Self {
            breaker,
            since,
            held,
            events: Vec::new(),
            failed_cas: 0,
        }
    }

    pub(crate) fn acquire(&mut self) {
        let breaker = self.breaker;
        let readings = self.record(Operation::Acquire, |held| match breaker.try_acquire() {
            Ok(permit) => {
                let call = call(&permit);
                held.push(permit);
                Response::Admitted(call)
            }
            Err(rejected) => Response::Rejected {
                reason: rejected.reason(),
                retry_after: rejected.retry_after(),
                generation: rejected.generation(),
            },
        });
        self.failed_cas += readings.saturating_sub(1);
    }

    pub(crate) fn holds_permits(&self) -> bool {
        !self.held.is_empty()
    }

    /// Reports the outcome of one of the held calls.
    pub(crate) fn report(&mut self, which: usize, outcome: Outcome) {
        let permit = self.held.swap_remove(which % self.held.len());
        self.record(Operation::Report(call(&permit), outcome), |_| {
            Response::Recorded(permit.record(outcome))
        });
    }

    pub(crate) fn operate(&mut self, operation: Operation) {
        let breaker = self.breaker;
        self.record(operation, |_| {
            Response::Found(match operation {
                Operation::ForceOpen => breaker.force_open(),
                Operation::ForceOpenFor(time) => breaker.force_open_for(time),
                Operation::Disable => breaker.disable(),
                Operation::Resume => breaker.resume(),
                Operation::Reset => breaker.reset(),
                Operation::Acquire | Operation::Report(..) => {
                    unreachable!("not an operator's action")
                }
            })
        });
    }

    /// Hands over the held permits, so that another thread can end the calls.
    pub(crate) fn take_permits(&mut self) -> Vec<Permit<'a>> {
        mem::take(&mut self.held)
    }

    /// Leaks the calls that never end: a drop would be one more operation.
    pub(crate) fn finish(mut self) -> (Vec<HistoryEvent>, usize) {
        self.held.drain(..).for_each(mem::forget);
        (self.events, self.failed_cas)
    }

    /// Records the verdict of `ask`, and returns how often the breaker read the clock for it.
    fn record(
        &mut self,
        operation: Operation,
        ask: impl FnOnce(&mut Vec<Permit<'a>>) -> Response,
    ) -> usize {
        READ.set((None, 0));
        let response = ask(&mut self.held);
        let (read, times) = READ.get();
        let invocation = Invocation { operation, read };
        // No counter shared by all threads: it would order the very operations that must stay
        // unordered.
        let hint = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.events.push(HistoryEvent {
            operation: invocation,
            response,
            hint,
        });
        times
    }
}

fn call(permit: &Permit<'_>) -> AdmittedCall {
    AdmittedCall {
        generation: permit.generation(),
        probe: permit.is_probe(),
    }
}

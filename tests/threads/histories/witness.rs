//! Records the operations on a breaker, with their verdicts and clock readings.

use std::{cell::Cell, mem, time::Instant};

use cutout::{
    Breaker, Outcome, Permit,
    clock::{Clock, Manual},
};

use super::sequential::{Answer, Asked, Call, Heard, What};

thread_local! {
    /// The last reading of this thread, and the number of readings.
    static READ: Cell<(Option<u64>, usize)> = const { Cell::new((None, 0)) };
}

/// A manual clock that records its last reading for each thread.
pub(crate) struct Remembering(pub(crate) Manual);

impl Clock for Remembering {
    fn now(&self) -> u64 {
        let now = self.0.now();
        let (_, times) = READ.get();
        READ.set((Some(now), times + 1));
        now
    }
}

/// The recorder of one thread's part of a history.
pub(crate) struct Witness<'a> {
    breaker: &'a Breaker,
    since: Instant,
    held: Vec<Permit<'a>>,
    pub(crate) heard: Vec<Heard>,
    /// Admissions that read the clock again, which happens only after a failed CAS.
    pub(crate) lost: usize,
}

impl<'a> Witness<'a> {
    pub(crate) fn of(breaker: &'a Breaker, since: Instant, held: Vec<Permit<'a>>) -> Self {
        Self {
            breaker,
            since,
            held,
            heard: Vec::new(),
            lost: 0,
        }
    }

    pub(crate) fn acquire(&mut self) {
        let breaker = self.breaker;
        let readings = self.hear(What::Acquire, |held| match breaker.try_acquire() {
            Ok(permit) => {
                let call = call(&permit);
                held.push(permit);
                Answer::Admitted(call)
            }
            Err(rejected) => Answer::Rejected {
                reason: rejected.reason(),
                retry_after: rejected.retry_after(),
                generation: rejected.generation(),
            },
        });
        self.lost += readings.saturating_sub(1);
    }

    pub(crate) fn holds_any(&self) -> bool {
        !self.held.is_empty()
    }

    /// Reports the outcome of one of the held calls.
    pub(crate) fn report(&mut self, which: usize, outcome: Outcome) {
        let permit = self.held.swap_remove(which % self.held.len());
        self.hear(What::Report(call(&permit), outcome), |_| {
            Answer::Recorded(permit.record(outcome))
        });
    }

    pub(crate) fn operate(&mut self, what: What) {
        let breaker = self.breaker;
        self.hear(what, |_| {
            Answer::Found(match what {
                What::ForceOpen => breaker.force_open(),
                What::ForceOpenFor(time) => breaker.force_open_for(time),
                What::Disable => breaker.disable(),
                What::Resume => breaker.resume(),
                What::Reset => breaker.reset(),
                What::Acquire | What::Report(..) => unreachable!("not an operator's action"),
            })
        });
    }

    /// Hands over the held permits, so that another thread can end the calls.
    pub(crate) fn hand_on(&mut self) -> Vec<Permit<'a>> {
        mem::take(&mut self.held)
    }

    /// Leaks the calls that never end: a drop would be one more operation.
    pub(crate) fn leave(mut self) -> (Vec<Heard>, usize) {
        self.held.drain(..).for_each(mem::forget);
        (self.heard, self.lost)
    }

    /// Records the verdict of `ask`, and returns how often the breaker read the clock for it.
    fn hear(&mut self, what: What, ask: impl FnOnce(&mut Vec<Permit<'a>>) -> Answer) -> usize {
        READ.set((None, 0));
        let answer = ask(&mut self.held);
        let (read, times) = READ.get();
        let asked = Asked { what, read };
        // No counter shared by all threads: it would order the very operations that must stay
        // unordered.
        let hint = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.heard.push(Heard {
            operation: asked,
            answer,
            hint,
        });
        times
    }
}

fn call(permit: &Permit<'_>) -> Call {
    Call {
        generation: permit.generation(),
        probe: permit.is_probe(),
    }
}

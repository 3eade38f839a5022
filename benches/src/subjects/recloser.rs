//! recloser: a ring of the last results, behind an epoch pointer.

use std::hint::black_box;

use recloser::{AsyncRecloser, Error, Recloser, RecloserBuilder};

use super::{Built, Calls, CallsAsync, Cycle, LONG, Subject};
use crate::dependency::Failed;

impl Calls for Recloser {
    #[inline]
    fn call(&self, dependency: impl FnOnce() -> Result<u64, Failed> + 'static) -> bool {
        !matches!(black_box(self.call(dependency)), Err(Error::Rejected))
    }
}

impl CallsAsync for AsyncRecloser {
    #[inline]
    async fn call_async(
        &self,
        dependency: impl Future<Output = Result<u64, Failed>> + Send + 'static,
    ) -> bool {
        !matches!(black_box(self.call(dependency).await), Err(Error::Rejected))
    }
}

/// Half of the last `calls` calls. recloser judges them at the call after them.
#[must_use]
pub fn builder(calls: usize) -> RecloserBuilder {
    Recloser::custom()
        .error_rate(0.5)
        .closed_len(calls)
        .half_open_len(1)
        .open_wait(LONG)
}

/// Half of the last twenty calls.
#[derive(Debug)]
pub enum RecloserOfLast {}

impl Subject for RecloserOfLast {
    type Breaker = Recloser;
    const NAME: &'static str = "recloser, 50 % of 20";
    const POLICY: &'static str = "`error_rate(0.5).closed_len(20).half_open_len(1)`, in a cycle `closed_len(4)`; as `percent(50).of_last(20)`";
    // recloser judges at the first result after its ring is full, in both states.
    const CYCLE: Option<Cycle> = Some(Cycle {
        failures: 5,
        successes: 2,
    });

    fn build(built: Built) -> Recloser {
        match built {
            Built::AsNamed => builder(20).build(),
            // Above all rates: it compares by `>=`.
            Built::Tolerant => builder(20).error_rate(1.1).build(),
            Built::Cycling(open_for) => builder(4).open_wait(open_for).build(),
        }
    }
}

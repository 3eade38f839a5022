//! A simple hand-written breaker: a few fields under a lock, which is not held during the call.

use std::{
    error, fmt,
    hint::black_box,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{Built, Calls, Cycle, LONG, Subject};
use crate::dependency::Failed;

/// Opens after a number of failures in a row, then admits one call as a probe.
#[derive(Debug)]
pub struct ByHand {
    state: Mutex<State>,
    failures: u32,
    open_for: Duration,
}

#[derive(Debug)]
struct State {
    failures: u32,
    open_until: Option<Instant>,
    probing: bool,
}

/// Error of a call.
#[derive(Debug)]
pub enum Error<E> {
    /// The call was not made.
    Open,
    /// The call failed.
    Failed(E),
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl<E: error::Error> error::Error for Error<E> {}

impl ByHand {
    /// Makes a call.
    ///
    /// # Errors
    ///
    /// The error of the call, or a rejection.
    pub fn call<T, E>(&self, dependency: impl FnOnce() -> Result<T, E>) -> Result<T, Error<E>> {
        {
            let mut state = self.lock();
            if let Some(until) = state.open_until {
                if state.probing || Instant::now() < until {
                    return Err(Error::Open);
                }
                state.probing = true;
            }
        }
        let result = dependency();
        let mut state = self.lock();
        if result.is_ok() {
            state.failures = 0;
            state.open_until = None;
        } else {
            state.failures += 1;
            if state.probing || state.failures >= self.failures {
                state.open_until = Some(Instant::now() + self.open_for);
            }
        }
        state.probing = false;
        result.map_err(Error::Failed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls for ByHand {
    #[inline]
    fn call(&self, dependency: impl FnOnce() -> Result<u64, Failed> + 'static) -> bool {
        !matches!(black_box(self.call(dependency)), Err(Error::Open))
    }
}

/// Five failures in a row.
#[derive(Debug)]
pub enum ByHandInARow {}

impl Subject for ByHandInARow {
    type Breaker = ByHand;
    const NAME: &'static str = "by hand, 5 in a row";
    const POLICY: &'static str = "a `std` mutex around a count and a deadline, locked before and after the call; as `Trip::consecutive(5)`";
    const CYCLE: Option<Cycle> = Some(Cycle {
        failures: 5,
        successes: 1,
    });

    fn build(built: Built) -> ByHand {
        let (failures, open_for) = match built {
            Built::AsNamed => (5, LONG),
            Built::Tolerant => (u32::MAX, LONG),
            Built::Cycling(open_for) => (5, open_for),
        };
        ByHand {
            state: Mutex::new(State {
                failures: 0,
                open_until: None,
                probing: false,
            }),
            failures,
            open_for,
        }
    }
}

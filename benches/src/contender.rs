//! A way to make calls, checked before it is timed.

use std::{cell::Cell, hint::black_box, thread, time::Duration};

use tokio::runtime::{self, Runtime};

use crate::{
    dependency::{Failed, Path, dependency},
    subjects::{Built, Calls, CallsAsync, Cycle, NoBreaker, Subject},
};

/// Number of calls that check a path.
const CHECKED: u64 = 5_000;
/// Number of failures after which a breaker is taken to never trip.
const MAX_FAILURES: u64 = 10_000;

/// An operation to repeat and time.
#[expect(missing_debug_implementations, reason = "it is a closure")]
pub struct Contender {
    name: String,
    /// Runs a number of rounds, and returns the number of admitted calls.
    run: Box<dyn Fn(u64) -> u64 + Send + Sync>,
    /// The number of calls that each round must admit.
    let_through: u64,
}

impl Contender {
    /// A contender that runs `round`, which makes no calls.
    pub fn new<T>(name: &str, round: impl Fn() -> T + Send + Sync + 'static) -> Self {
        let run = move |rounds| {
            for _ in 0..rounds {
                black_box(round());
            }
            0
        };
        Self {
            name: name.into(),
            run: Box::new(run),
            let_through: 0,
        }
    }

    /// A contender whose calls are made by `call`, from their numbers. All of them must be
    /// admitted.
    pub fn calling(name: &str, call: impl Fn(u64) -> bool + Send + Sync + 'static) -> Self {
        let run = move |calls| (0..calls).map(|n| u64::from(call(black_box(n)))).sum();
        Self::running(name, 1, run)
    }

    /// A contender that runs `run`, which must admit `let_through` calls in each round.
    ///
    /// # Panics
    ///
    /// Panics if the number of admitted calls differs.
    pub fn running(
        name: &str,
        let_through: u64,
        run: impl Fn(u64) -> u64 + Send + Sync + 'static,
    ) -> Self {
        assert_eq!(
            run(CHECKED),
            let_through * CHECKED,
            "{name} leaves its path"
        );
        Self {
            name: name.into(),
            run: Box::new(run),
            let_through,
        }
    }

    /// Name of the contender in the results.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs a number of rounds.
    ///
    /// # Panics
    ///
    /// Panics if the number of admitted calls differs from the expected one.
    pub fn run(&self, rounds: u64) {
        let through = (self.run)(rounds);
        let expected = self.let_through * rounds;
        assert_eq!(through, expected, "{} leaves its path", self.name);
    }

    /// A contender that makes calls through a breaker. Checks first that the breaker admits or
    /// rejects the calls of the path.
    ///
    /// # Panics
    ///
    /// Panics if this check fails.
    pub fn calls(name: &str, path: Path, breaker: impl Calls) -> Self {
        let opens = path == Path::Rejected && name != NoBreaker::NAME;
        if opens {
            trip(&breaker);
        }
        let let_through = u64::from(!opens);
        ARRIVED.set(0);
        let through = make(path, &breaker, CHECKED, arrive);
        assert_eq!(through, let_through * CHECKED, "{name} is not {path:?}");
        assert_eq!(
            ARRIVED.get(),
            through,
            "{name} reports calls that did not arrive"
        );
        Self {
            name: name.into(),
            run: Box::new(move |calls| make(path, &breaker, calls, || ())),
            let_through,
        }
    }

    /// A contender that makes async calls, each awaited in a task of a single-threaded tokio
    /// runtime.
    ///
    /// # Panics
    ///
    /// Panics if the breaker does not admit or reject the calls of the path.
    pub fn calls_async(name: &str, path: Path, breaker: impl CallsAsync) -> Self {
        let opens = path == Path::Rejected && name != NoBreaker::NAME;
        if opens {
            block_on(trip_async(&breaker));
        }
        let let_through = u64::from(!opens);
        ARRIVED.set(0);
        let through = block_on(make_async(&breaker, CHECKED, arrive));
        assert_eq!(through, let_through * CHECKED, "{name} is not {path:?}");
        assert_eq!(
            ARRIVED.get(),
            through,
            "{name} reports calls that did not arrive"
        );
        Self {
            name: name.into(),
            run: Box::new(move |calls| block_on(make_async(&breaker, calls, || ()))),
            let_through,
        }
    }

    /// A contender that trips and recovers a breaker in each round.
    ///
    /// # Panics
    ///
    /// Panics if the calls of a cycle do not trip and recover the breaker.
    #[must_use]
    pub fn cycles<S: Subject>(cycle: Cycle) -> Self {
        check_cycle::<S>(cycle);
        let breaker = S::build(Built::Cycling(Duration::ZERO));
        let calls = cycle.failures + cycle.successes;
        Self::running(S::NAME, calls, move |cycles| {
            let through = |_| fail(&breaker, cycle.failures) + succeed(&breaker, cycle.successes);
            (0..cycles).map(through).sum()
        })
    }
}

/// Makes calls through a breaker and returns the number of admitted calls. Each admitted call runs
/// `arrive`.
pub fn make(
    path: Path,
    breaker: &impl Calls,
    calls: u64,
    arrive: impl Fn() + Copy + 'static,
) -> u64 {
    // The failure rate is a constant in each loop, so that contenders don't pay for the choice.
    match path {
        Path::Healthy | Path::Rejected => looped::<_, 0, 1>(breaker, calls, arrive),
        Path::OneInAThousandFails => looped::<_, 1, 1_000>(breaker, calls, arrive),
        Path::OneInAHundredFails => looped::<_, 1, 100>(breaker, calls, arrive),
        Path::OneInTenFails => looped::<_, 1, 10>(breaker, calls, arrive),
        Path::NearlyAllFail => looped::<_, 999, 1_000>(breaker, calls, arrive),
    }
}

#[inline(never)]
fn looped<B: Calls, const FAILURES: u64, const OF: u64>(
    breaker: &B,
    calls: u64,
    arrive: impl Fn() + Copy + 'static,
) -> u64 {
    let mut through = 0;
    for call in 0..calls {
        let call = black_box(call);
        through += u64::from(breaker.call(move || {
            arrive();
            dependency::<FAILURES, OF>(call)
        }));
    }
    through
}

/// Makes healthy async calls and returns the number of admitted calls.
pub async fn make_async(
    breaker: &impl CallsAsync,
    calls: u64,
    arrive: impl Fn() + Send + Copy + 'static,
) -> u64 {
    let mut through = 0;
    for call in 0..calls {
        let call = black_box(call);
        through += u64::from(
            breaker
                .call_async(async move {
                    arrive();
                    dependency::<0, 1>(call)
                })
                .await,
        );
    }
    through
}

thread_local! {
    static ARRIVED: Cell<u64> = const { Cell::new(0) };
    static RUNTIME: Runtime = runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime of one thread");
}

/// Counts a call that reaches the dependency.
fn arrive() {
    ARRIVED.set(ARRIVED.get() + 1);
}

/// Runs a future on this thread's runtime.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// Makes failing calls and returns the number of admitted calls.
#[inline]
pub fn fail(breaker: &impl Calls, calls: u64) -> u64 {
    let call = |_| u64::from(breaker.call(|| black_box(Err(Failed))));
    (0..calls).map(call).sum()
}

/// Makes healthy calls and returns the number of admitted calls.
#[inline]
pub fn succeed(breaker: &impl Calls, calls: u64) -> u64 {
    let call = |_| u64::from(breaker.call(|| black_box(Ok(0))));
    (0..calls).map(call).sum()
}

/// Trips a breaker and returns the number of failures before the first rejection.
///
/// # Panics
///
/// Panics if the breaker never rejects.
pub fn trip(breaker: &impl Calls) -> u64 {
    (0..MAX_FAILURES)
        .find(|_| fail(breaker, 1) == 0)
        .expect("failures trip it")
}

async fn trip_async(breaker: &impl CallsAsync) {
    for _ in 0..MAX_FAILURES {
        if !breaker.call_async(async { Err(Failed) }).await {
            return;
        }
    }
    panic!("failures trip it");
}

/// Asserts that the failures and successes of a cycle trip and recover a breaker, on one whose open
/// period is long enough to observe.
fn check_cycle<S: Subject>(cycle: Cycle) {
    let open_for = Duration::from_millis(100);
    let breaker = S::build(Built::Cycling(open_for));
    trip(&breaker);
    for _ in 0..2 {
        thread::sleep(open_for * 2);
        let recovers = succeed(&breaker, cycle.successes);
        assert_eq!(recovers, cycle.successes, "{} does not recover", S::NAME);
        let trips = trip(&breaker);
        assert_eq!(trips, cycle.failures, "{} trips after others", S::NAME);
    }
}

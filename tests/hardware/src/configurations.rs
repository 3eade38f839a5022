//! Breakers that must store nothing, the ways to use them, and one change for each with which they
//! store.

use std::{
    future::poll_fn,
    mem,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use cutout::{
    Breaker, Error, Listener, Outcome, Policy, State, Trip, clock::Manual, metrics::Metrics,
    tracing::Events,
};

/// Length of an open period and of a lease.
const SECOND: Duration = Duration::from_secs(1);
/// More calls than any window covers.
const MANY: usize = 5_000;

static CLOCK: Manual = Manual::at(7_000_000_000);
static METRICS: Metrics = Metrics::new();
static LISTENERS: [&dyn Listener; 2] = [&METRICS, &Events];

/// A breaker in one of its states.
#[derive(Clone, Copy, Debug)]
pub struct Configuration {
    /// Name of the trip.
    pub trip: &'static str,
    /// State that the breaker is brought into.
    pub state: InitialState,
}

/// State that a breaker is brought into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialState {
    /// Closed, the window full of successes.
    Healthy,
    /// Tripped, before the deadline.
    Open,
    /// Half-open, its only slot taken, before the end of the lease.
    Busy,
    /// Forced open.
    Forced,
    /// Disabled.
    Disabled,
}

use InitialState::{Busy, Disabled, Forced, Healthy, Open};

/// A trip of each kind, by name.
const TRIPS: [(&str, Trip); 11] = [
    ("consecutive(3)", Trip::consecutive(3)),
    ("consecutive(65535)", Trip::consecutive(65_535)),
    ("the default", Policy::new().trip),
    ("failures(3).of_last(5)", Trip::failures(3).of_last(5)),
    ("percent(50).of_last(45)", Trip::percent(50).of_last(45)),
    ("failures(3).of_last(46)", Trip::failures(3).of_last(46)),
    (
        "percent(50).of_last(4096)",
        Trip::percent(50).of_last(4_096),
    ),
    (
        "consecutive(3).or(failures(5).of_last(100))",
        Trip::consecutive(3).or(Trip::failures(5).of_last(100)),
    ),
    ("failures(3).within(1s)", Trip::failures(3).within(SECOND)),
    (
        "consecutive(3).or(failures(5).within(1s))",
        Trip::consecutive(3).or(Trip::failures(5).within(SECOND)),
    ),
    (RATE, Trip::percent(50).within(SECOND)),
];

/// The trip whose healthy success stores, in a cache line of its own.
const RATE: &str = "percent(50).within(1s)";

impl Configuration {
    /// Every configuration.
    pub fn all() -> impl Iterator<Item = Self> {
        let configurations = TRIPS.into_iter().flat_map(|(trip, _)| {
            [Healthy, Open, Busy, Forced, Disabled].map(|state| Self { trip, state })
        });
        configurations
            .filter(|configuration| (configuration.trip, configuration.state) != (RATE, Healthy))
    }

    /// The configuration with these names.
    #[must_use]
    pub fn of(trip: &str, state: &str) -> Option<Self> {
        Self::all().find(|configuration| {
            configuration.trip == trip && format!("{:?}", configuration.state) == state
        })
    }

    /// Builds the breaker, with everything allocated that it will ever allocate.
    ///
    /// # Panics
    ///
    /// If the breaker is not in the configured state.
    #[must_use]
    pub fn build(self) -> Breaker {
        let (_, trip) = TRIPS
            .into_iter()
            .find(|(name, _)| *name == self.trip)
            .expect("a trip of this name");
        let breaker = Breaker::builder()
            .trip(trip)
            .open_for(SECOND)
            .probe_lease(SECOND)
            .clock(&CLOCK)
            .listeners(&LISTENERS)
            .build();
        breaker.reset();
        fail(&breaker);
        for _ in 0..MANY {
            breaker.call(up).expect("a call of a closed breaker");
        }
        match self.state {
            Healthy => {}
            Open | Busy => (0..70_000)
                .take_while(|_| breaker.state() == State::Closed)
                .for_each(|_| fail(&breaker)),
            Forced => drop(breaker.force_open()),
            Disabled => drop(breaker.disable()),
        }
        if self.state == Busy {
            CLOCK.advance(SECOND);
            mem::forget(breaker.try_acquire().expect("a probe"));
        }
        let expected = match self.state {
            Healthy => State::Closed,
            Open => State::Open,
            Busy => State::HalfOpen,
            Forced => State::ForcedOpen,
            Disabled => State::Disabled,
        };
        assert_eq!(breaker.state(), expected);
        breaker
    }

    /// Uses the breaker in every way that must store nothing, up to the last millisecond of its
    /// state. Prints each use before it happens.
    ///
    /// # Panics
    ///
    /// If a call is admitted that must be rejected, or vice versa.
    pub fn use_without_storing(self, breaker: &Breaker) {
        for millis in [0, 500, 499] {
            CLOCK.advance(Duration::from_millis(millis));
            for (way, done) in WAYS {
                println!("{way}, {millis} ms later");
                let admitted = done(breaker);
                assert_eq!(admitted, matches!(self.state, Healthy | Disabled));
            }
            println!("accessors, {millis} ms later");
            let _ = (breaker.state(), breaker.snapshot(), breaker.policy());
            let _ = format!("{breaker:?}");
        }
    }

    /// Performs a use that stores. It differs from the above in one respect: the call fails, the
    /// deadline or the lease has passed, or the operator acts again.
    pub fn store(self, breaker: &Breaker) {
        match self.state {
            Healthy => fail(breaker),
            Open | Busy => {
                CLOCK.advance(SECOND);
                drop(breaker.try_acquire());
            }
            Forced => drop(breaker.resume()),
            Disabled => drop(breaker.reset()),
        }
    }
}

/// A way to make a call or to ask for admission; returns whether the call was admitted.
type Way = (&'static str, fn(&Breaker) -> bool);

const WAYS: [Way; 9] = [
    ("call", |breaker| admitted(&breaker.call(up))),
    ("call_with", |breaker| {
        let call = || Err::<(), _>("not found");
        let result = breaker.call_with(call, |_| Outcome::Success);
        admitted(&result)
    }),
    ("call_async", |breaker| {
        let mut polls = 0;
        let mut call = pin!(breaker.call_async(poll_fn(|_| {
            polls += 1;
            if polls < 3 {
                Poll::Pending
            } else {
                Poll::Ready(up())
            }
        })));
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(result) = call.as_mut().poll(&mut context) {
                return admitted(&result);
            }
        }
    }),
    ("call_async_with", |breaker| {
        let mut call = pin!(breaker.call_async_with(async { up() }, |_| Outcome::Success));
        let mut context = Context::from_waker(Waker::noop());
        match call.as_mut().poll(&mut context) {
            Poll::Ready(result) => admitted(&result),
            Poll::Pending => unreachable!("the future is ready at once"),
        }
    }),
    ("a permit's success", |breaker| {
        breaker.try_acquire().map(cutout::Permit::success).is_ok()
    }),
    ("a permit that observes", |breaker| {
        let observed = |permit: cutout::Permit<'_>| permit.observe(up());
        breaker.try_acquire().map(observed).is_ok()
    }),
    ("an ignored outcome", |breaker| {
        breaker.try_acquire().map(cutout::Permit::ignore).is_ok()
    }),
    ("a permit that is dropped", |breaker| {
        breaker.try_acquire().is_ok()
    }),
    ("peek", |breaker| breaker.peek().is_ok()),
];

fn admitted<T>(result: &Result<T, Error<&str>>) -> bool {
    !matches!(result, Err(Error::Rejected(_)))
}

#[expect(clippy::unnecessary_wraps, reason = "represents a call that can fail")]
fn up() -> Result<u32, &'static str> {
    Ok(7)
}

fn fail(breaker: &Breaker) {
    let _ = breaker.call(|| Err::<(), _>("down"));
}

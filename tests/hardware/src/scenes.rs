//! Breakers that are to store nothing, how they are used, and the one change with which they would store.

use std::{
    future::poll_fn,
    mem,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use cutout::{Breaker, Error, Outcome, Policy, State, Transition, Trip, clock::Manual};

/// The length of an open period and of a lease.
const SECOND: Duration = Duration::from_secs(1);
/// More calls than any window has.
const MANY: usize = 5_000;

static CLOCK: Manual = Manual::at(7_000_000_000);

/// A breaker in one of its states.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// The name of the trip.
    pub trip: &'static str,
    /// What it is made to be.
    pub stands: Stands,
}

/// What a breaker is made to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// Closed, the window full of successes.
    Healthy,
    /// Tripped, before the deadline.
    Open,
    /// Half-open, its one place taken, under the lease.
    Busy,
    /// Forced open.
    Forced,
    /// Disabled.
    Disabled,
}

use Stands::{Busy, Disabled, Forced, Healthy, Open};

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

/// The trip whose healthy success stores, on a line of its own.
const RATE: &str = "percent(50).within(1s)";

impl Scene {
    /// Every scene there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let scenes = TRIPS.into_iter().flat_map(|(trip, _)| {
            [Healthy, Open, Busy, Forced, Disabled].map(|stands| Self { trip, stands })
        });
        scenes.filter(|scene| (scene.trip, scene.stands) != (RATE, Healthy))
    }

    /// The scene of these names.
    #[must_use]
    pub fn of(trip: &str, stands: &str) -> Option<Self> {
        Self::all().find(|scene| scene.trip == trip && format!("{:?}", scene.stands) == stands)
    }

    /// The breaker, with everything allocated that it ever will.
    ///
    /// # Panics
    ///
    /// If it is not what it is to be.
    #[must_use]
    pub fn begin(self) -> Breaker {
        let (_, trip) = TRIPS
            .into_iter()
            .find(|(name, _)| *name == self.trip)
            .expect("a trip of this name");
        let breaker = Breaker::builder()
            .trip(trip)
            .open_for(SECOND)
            .probe_lease(SECOND)
            .clock(&CLOCK)
            .listeners(&[&|_: &Transition| ()])
            .build();
        breaker.reset();
        fail(&breaker);
        for _ in 0..MANY {
            breaker.call(up).expect("a call of a closed breaker");
        }
        match self.stands {
            Healthy => {}
            Open | Busy => (0..70_000)
                .take_while(|_| breaker.state() == State::Closed)
                .for_each(|_| fail(&breaker)),
            Forced => drop(breaker.force_open()),
            Disabled => drop(breaker.disable()),
        }
        if self.stands == Busy {
            CLOCK.advance(SECOND);
            mem::forget(breaker.try_acquire().expect("a probe"));
        }
        let expected = match self.stands {
            Healthy => State::Closed,
            Open => State::Open,
            Busy => State::HalfOpen,
            Forced => State::ForcedOpen,
            Disabled => State::Disabled,
        };
        assert_eq!(breaker.state(), expected);
        breaker
    }

    /// Uses the breaker in every way that is to store nothing, to the last millisecond in which it holds. What
    /// is done is said before.
    ///
    /// # Panics
    ///
    /// If a call is let through that is to be rejected, or the other way round.
    pub fn use_in_every_way(self, breaker: &Breaker) {
        for millis in [0, 500, 499] {
            CLOCK.advance(Duration::from_millis(millis));
            for (way, done) in WAYS {
                println!("{way}, {millis} ms later");
                let admitted = done(breaker);
                assert_eq!(admitted, matches!(self.stands, Healthy | Disabled));
            }
            println!("looking, {millis} ms later");
            let _ = (breaker.state(), breaker.snapshot(), breaker.policy());
            let _ = format!("{breaker:?}");
        }
    }

    /// What stores, and differs from the above in one thing: the call fails, the deadline or the lease is
    /// reached, or the operator acts again.
    pub fn store(self, breaker: &Breaker) {
        match self.stands {
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

/// A way to make a call, or to ask for one, and whether that was let through.
type Way = (&'static str, fn(&Breaker) -> bool);

const WAYS: [Way; 9] = [
    ("call", |breaker| admitted(&breaker.call(up))),
    ("call_with", |breaker| {
        let call = || Err::<(), _>("not found");
        let answer = breaker.call_with(call, |_| Outcome::Success);
        admitted(&answer)
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
            if let Poll::Ready(answer) = call.as_mut().poll(&mut context) {
                return admitted(&answer);
            }
        }
    }),
    ("call_async_with", |breaker| {
        let mut call = pin!(breaker.call_async_with(async { up() }, |_| Outcome::Success));
        let mut context = Context::from_waker(Waker::noop());
        match call.as_mut().poll(&mut context) {
            Poll::Ready(answer) => admitted(&answer),
            Poll::Pending => unreachable!("it is ready at once"),
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

fn admitted<T>(answer: &Result<T, Error<&str>>) -> bool {
    !matches!(answer, Err(Error::Rejected(_)))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands for a call that can fail"
)]
fn up() -> Result<u32, &'static str> {
    Ok(7)
}

fn fail(breaker: &Breaker) {
    let _ = breaker.call(|| Err::<(), _>("down"));
}

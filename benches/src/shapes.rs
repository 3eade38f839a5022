//! Shapes of a healthy call: where it is written, what it returns, and what the caller does with
//! the result.
//!
//! | shape | the call is | the caller |
//! |---|---|---|
//! | inlined | in the caller's loop | keeps the whole result |
//! | function, *E*, kept | in a function that returns its `Result<T, E>` | keeps the whole result |
//! | function, *E*, checked | the same | calls `is_ok` |
//!
//! A function is never inlined into the loop, as it would not be in a service of any size.

use std::{error::Error, hint::black_box, io, marker::PhantomData};

use cutout::Breaker;
use failsafe::CircuitBreaker;

use crate::{
    contender::Contender,
    dependency::Failed,
    subjects::{
        Bare, Built, ByHand, ByHandInARow, CutoutDefault, FailsafeInARow, FailsafeOverTime,
        NoBreaker, RecloserOfLast, Subject, by_hand,
    },
};

/// A breaker whose calls keep their result and their error.
pub trait Wraps: Send + Sync + 'static {
    /// The error of a call whose own error is `E`.
    type Error<E>;

    /// Makes a call, as in the documentation of the breaker.
    ///
    /// # Errors
    ///
    /// The error of the call, or a rejection.
    fn wrap<T, E>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, Self::Error<E>>;

    /// Boxes an error, as `?` does.
    fn boxed(error: Self::Error<Failed>) -> Boxed;
}

/// The error of a service with one error type.
pub type Boxed = Box<dyn Error + Send + Sync>;

impl Wraps for Bare {
    type Error<E> = E;

    #[inline]
    fn wrap<T, E>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        call()
    }

    #[inline]
    fn boxed(error: Failed) -> Boxed {
        error.into()
    }
}

impl Wraps for Breaker {
    type Error<E> = cutout::Error<E>;

    #[inline]
    fn wrap<T, E>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, Self::Error<E>> {
        self.call(call)
    }

    #[inline]
    fn boxed(error: Self::Error<Failed>) -> Boxed {
        error.into()
    }
}

impl Wraps for ByHand {
    type Error<E> = by_hand::Error<E>;

    #[inline]
    fn wrap<T, E>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, Self::Error<E>> {
        self.call(call)
    }

    #[inline]
    fn boxed(error: Self::Error<Failed>) -> Boxed {
        error.into()
    }
}

impl<Policy> Wraps for failsafe::StateMachine<Policy, ()>
where
    Policy: failsafe::failure_policy::FailurePolicy + Send + Sync + 'static,
{
    type Error<E> = failsafe::Error<E>;

    #[inline]
    fn wrap<T, E>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, Self::Error<E>> {
        CircuitBreaker::call(self, call)
    }

    #[inline]
    fn boxed(error: Self::Error<Failed>) -> Boxed {
        error.into()
    }
}

impl Wraps for recloser::Recloser {
    type Error<E> = recloser::Error<E>;

    #[inline]
    fn wrap<T, E>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, Self::Error<E>> {
        self.call(call)
    }

    #[inline]
    fn boxed(error: Self::Error<Failed>) -> Boxed {
        // This error is no `std::error::Error`, so `?` does not box it.
        match error {
            recloser::Error::Inner(error) => error.into(),
            recloser::Error::Rejected => "rejected".into(),
        }
    }
}

/// The value and the error that a function returns, made from the number of the call.
trait Returns: 'static {
    type Value;
    type Failure;

    fn make(number: u64) -> Result<Self::Value, Self::Failure>;
}

/// A word, or an error without data.
enum Word {}

impl Returns for Word {
    type Value = u64;
    type Failure = Failed;

    #[inline]
    fn make(number: u64) -> Result<u64, Failed> {
        if number == u64::MAX {
            Err(Failed)
        } else {
            Ok(black_box(number))
        }
    }
}

/// A word, or an I/O error.
enum Io {}

impl Returns for Io {
    type Value = u64;
    type Failure = io::Error;

    #[inline]
    fn make(number: u64) -> io::Result<u64> {
        if number == u64::MAX {
            Err(io::ErrorKind::TimedOut.into())
        } else {
            Ok(black_box(number))
        }
    }
}

/// Eight words, or an error without data.
enum EightWords {}

impl Returns for EightWords {
    type Value = [u64; 8];
    type Failure = Failed;

    #[inline]
    fn make(number: u64) -> Result<[u64; 8], Failed> {
        if number == u64::MAX {
            Err(Failed)
        } else {
            Ok(black_box([number; 8]))
        }
    }
}

/// A way to write a call.
trait Shape {
    /// Makes healthy calls in a loop; returns the number of calls that succeeded.
    fn run<B: Wraps>(breaker: &B, calls: u64) -> u64;
}

/// Makes calls and checks each result.
#[inline]
fn checked<T, E>(calls: u64, call: impl Fn(u64) -> Result<T, E>) -> u64 {
    let check = |number| u64::from(call(black_box(number)).is_ok());
    (0..calls).map(check).sum()
}

/// Makes calls and moves each result to the place of the last one, as a caller does that returns or
/// sends it.
#[inline]
fn kept<T, E>(calls: u64, call: impl Fn(u64) -> Result<T, E>) -> u64 {
    let mut succeeded = 0;
    let mut place = None;
    for number in 0..calls {
        place = Some(call(black_box(number)));
        // Other code can read the place, so that the call does not write its result there.
        succeeded += u64::from(matches!(black_box(&mut place), Some(Ok(_))));
    }
    drop(place);
    succeeded
}

/// The function of a service that makes the call.
#[inline(never)]
fn function<B: Wraps, R: Returns>(
    breaker: &B,
    number: u64,
) -> Result<R::Value, B::Error<R::Failure>> {
    breaker.wrap(|| R::make(number))
}

/// The function of a service with one error type for everything that it calls.
#[inline(never)]
fn boxing<B: Wraps>(breaker: &B, number: u64) -> Result<u64, Boxed> {
    breaker.wrap(|| Word::make(number)).map_err(B::boxed)
}

/// The function of a service that holds a permit of cutout.
#[inline(never)]
fn by_permit(breaker: &Breaker, number: u64) -> Result<u64, Boxed> {
    let permit = breaker.try_acquire()?;
    Ok(permit.observe(Word::make(number))?)
}

/// A call in the caller's loop, which keeps the result.
enum Inlined {}

impl Shape for Inlined {
    fn run<B: Wraps>(breaker: &B, calls: u64) -> u64 {
        kept(calls, |number| breaker.wrap(|| Word::make(number)))
    }
}

/// A function whose caller keeps the whole result.
struct Kept<R>(PhantomData<R>);

impl<R: Returns> Shape for Kept<R> {
    fn run<B: Wraps>(breaker: &B, calls: u64) -> u64 {
        kept(calls, |number| function::<B, R>(breaker, number))
    }
}

/// A function whose caller calls `is_ok`.
struct Checked<R>(PhantomData<R>);

impl<R: Returns> Shape for Checked<R> {
    fn run<B: Wraps>(breaker: &B, calls: u64) -> u64 {
        checked(calls, |number| function::<B, R>(breaker, number))
    }
}

/// A function that boxes each error, and whose caller keeps the whole result.
enum BoxedKept {}

impl Shape for BoxedKept {
    fn run<B: Wraps>(breaker: &B, calls: u64) -> u64 {
        kept(calls, |number| boxing(breaker, number))
    }
}

/// A function that boxes each error, and whose caller calls `is_ok`.
enum BoxedChecked {}

impl Shape for BoxedChecked {
    fn run<B: Wraps>(breaker: &B, calls: u64) -> u64 {
        checked(calls, |number| boxing(breaker, number))
    }
}

/// The contenders of a shape. The call is healthy, so the policy hardly matters.
fn contenders<S: Shape>() -> Vec<Contender> {
    fn add<S: Shape, B: Subject>(all: &mut Vec<Contender>)
    where
        B::Breaker: Wraps,
    {
        let breaker = B::build(Built::AsNamed);
        let run = move |calls| S::run(&breaker, calls);
        all.push(Contender::running(B::NAME, 1, run));
    }
    let mut all = Vec::new();
    add::<S, NoBreaker>(&mut all);
    add::<S, CutoutDefault>(&mut all);
    add::<S, ByHandInARow>(&mut all);
    add::<S, FailsafeInARow>(&mut all);
    add::<S, FailsafeOverTime>(&mut all);
    add::<S, RecloserOfLast>(&mut all);
    all
}

fn with_permit() -> Vec<Contender> {
    let mut all = contenders::<BoxedChecked>();
    let breaker = CutoutDefault::build(Built::AsNamed);
    let run = move |calls| checked(calls, |number| by_permit(&breaker, number));
    all.push(Contender::running("cutout, permit", 1, run));
    all
}

/// A group of contenders: its name, and how they are made.
pub type Group = (&'static str, fn() -> Vec<Contender>);

/// The shape that people write most: a function returns its result.
pub const RETURNED: &str = "function, unit error, kept";

/// All shapes.
pub const ALL: [Group; 8] = [
    ("inlined, kept", contenders::<Inlined>),
    (RETURNED, contenders::<Kept<Word>>),
    ("function, unit error, checked", contenders::<Checked<Word>>),
    ("function, io error, kept", contenders::<Kept<Io>>),
    ("function, io error, checked", contenders::<Checked<Io>>),
    ("function, 64 bytes, kept", contenders::<Kept<EightWords>>),
    ("function, boxed error, kept", contenders::<BoxedKept>),
    ("function, boxed error, checked", with_permit),
];

/// The name of a shape's group in the results.
#[must_use]
pub fn group(shape: &str) -> String {
    format!("shape, {shape}")
}

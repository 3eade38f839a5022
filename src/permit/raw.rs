//! [`RawPermit`]: an admitted call, generic over the pointer to its breaker.

use core::{fmt, mem, ops::Deref};

#[cfg(feature = "std")]
use crate::scope::{self, Scope};
use crate::{
    Admitted, Breaker, Ended, Outcome, Recorded, Rejected, breaker::admission::Admission,
    machine::word::Period,
};

/// An admitted call. A [`Permit`](super::Permit), an [`OwnedPermit`](super::OwnedPermit), a
/// [`CallAsync`](crate::CallAsync), a tower response and a response's body each hold one.
///
/// The end, the drop and the panic of a call are handled here alone. A call ends once:
///
/// | by | as |
/// |---|---|
/// | [`RawPermit::record`] | the outcome |
/// | a panic in [`RawPermit::guard`] | a failure |
/// | a drop by a panic that began after the admission | a failure |
/// | any other drop | the outcome that [`Policy::on_drop`](crate::Policy::on_drop) selects |
#[must_use = "a permit that is dropped at once counts as a dropped call"]
#[cfg_attr(
    not(feature = "tower"),
    expect(unreachable_pub, reason = "the sealed traits of tower name it")
)]
pub struct RawPermit<B: Deref<Target = Breaker>> {
    breaker: B,
    call: Call,
}

/// State of a permit's call, which decides the outcome of a drop.
#[derive(Clone, Copy)]
enum Call {
    /// The call has ended, or an outer layer over the same breaker counts it.
    Over,
    /// A panic that drops the permit belongs to this call.
    Live(Admission),
    /// The thread was unwinding at the admission. A panic that drops the permit may be the earlier
    /// one.
    Unwinding(Admission),
}

impl Call {
    #[inline]
    fn new(admission: Admission) -> Self {
        if is_unwinding() {
            Self::Unwinding(admission)
        } else {
            Self::Live(admission)
        }
    }

    #[inline]
    fn admission(self) -> Option<Admission> {
        match self {
            Self::Over => None,
            Self::Live(admission) | Self::Unwinding(admission) => Some(admission),
        }
    }

    #[inline]
    fn take(&mut self) -> Option<Admission> {
        mem::replace(self, Self::Over).admission()
    }
}

impl<B: Deref<Target = Breaker>> RawPermit<B> {
    /// Asks the breaker for a permit.
    #[inline]
    pub(crate) fn acquire(breaker: B) -> Result<Self, Rejected> {
        match breaker.acquire() {
            Ok(admission) => Ok(Self::new(breaker, Some(admission))),
            Err(rejected) => Err(rejected),
        }
    }

    /// Creates a permit. A permit without an admission counts nothing.
    #[inline]
    pub(crate) fn new(breaker: B, admission: Option<Admission>) -> Self {
        let call = admission.map_or(Call::Over, Call::new);
        Self { breaker, call }
    }

    /// Runs user code that is part of the call. A panic in `run` fails the call.
    #[inline]
    pub(crate) fn guard<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let guard = FailOnPanic(self);
        let value = run();
        mem::forget(guard);
        value
    }

    /// Classifies a result under the guard, and reports the outcome.
    #[inline]
    pub(crate) fn observe<T, E>(
        mut self,
        result: &Result<T, E>,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> Ended {
        let outcome = self.guard(|| classify(result));
        let call = Admitted {
            name: self.breaker.name(),
            generation: self.generation(),
            probe: self.is_probe(),
        };
        let recorded = self.record(outcome);
        Ended {
            call,
            outcome,
            recorded,
        }
    }

    /// Reports the outcome of the call. A permit that counts nothing leaves it unrecorded.
    #[inline]
    pub(crate) fn record(mut self, outcome: Outcome) -> Recorded {
        match self.call.take() {
            Some(admission) => self.breaker.record(admission, outcome),
            None => Recorded::Unrecorded,
        }
    }

    /// Enters the scope of the call if it is a probe.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn enter_probe(&self) -> Option<Scope> {
        enter_probe(&self.breaker, self.period()?)
    }

    #[inline]
    pub(crate) fn is_probe(&self) -> bool {
        self.period().is_some_and(Period::is_half_open)
    }

    #[inline]
    pub(super) fn generation(&self) -> u16 {
        self.period().map_or(0, Period::generation)
    }

    #[inline]
    fn period(&self) -> Option<Period> {
        self.call.admission().map(|admission| admission.period)
    }

    pub(super) fn fmt_as(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("generation", &self.generation())
            .field("is_probe", &self.is_probe())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "tower")]
impl<B: Deref<Target = Breaker>> RawPermit<B> {
    /// Like [`RawPermit::guard`], for code of the inner service. A layer over the same breaker
    /// passes requests on inside it.
    #[inline]
    pub(crate) fn guard_inner<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let guard = FailOnPanic(self);
        let value = {
            let _scope = scope::enter(&guard.0.breaker, guard.0.period());
            run()
        };
        mem::forget(guard);
        value
    }

    /// Drops the permit. Unless the policy makes this drop a failure, the call has this outcome.
    pub(crate) fn drop_as(mut self, outcome: Outcome) {
        let is_live = matches!(self.call, Call::Live(_));
        if let Some(admission) = self.call.take() {
            drop_slow(&self.breaker, admission, is_live, outcome);
        }
    }

    /// Returns true if the call has ended, or if an outer layer over the same breaker counts it.
    #[inline]
    pub(crate) fn counts_nothing(&self) -> bool {
        matches!(self.call, Call::Over)
    }

    /// Returns true if a panic that belongs to this call is unwinding the thread.
    #[inline]
    pub(crate) fn is_unwound(&self) -> bool {
        matches!(self.call, Call::Live(_)) && is_unwinding()
    }
}

impl<B: Deref<Target = Breaker>> Drop for RawPermit<B> {
    #[inline]
    fn drop(&mut self) {
        let is_live = matches!(self.call, Call::Live(_));
        if let Some(admission) = self.call.take() {
            drop_slow(&self.breaker, admission, is_live, Outcome::Ignored);
        }
    }
}

impl<B: Deref<Target = Breaker>> fmt::Debug for RawPermit<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as("RawPermit", f)
    }
}

/// Drop guard: fails the call unless the guard is forgotten. The admission stays in the permit, so
/// that the guard writes nothing when the user code returns.
struct FailOnPanic<'a, B: Deref<Target = Breaker>>(&'a mut RawPermit<B>);

impl<B: Deref<Target = Breaker>> Drop for FailOnPanic<'_, B> {
    #[inline]
    fn drop(&mut self) {
        if let Some(admission) = self.0.call.take() {
            fail(&self.0.breaker, admission);
        }
    }
}

/// The permit of a call within one stack frame. A panic between admission and end fails the call.
///
/// With a [`RawPermit`] instead, the compiler keeps the permit in memory. A healthy call then takes
/// 28 instructions, not 21, and a call that may fail 76, not 46.
pub(crate) struct FramePermit<'a> {
    breaker: &'a Breaker,
    admission: Admission,
}

impl<'a> FramePermit<'a> {
    #[inline]
    pub(crate) fn new(breaker: &'a Breaker, admission: Admission) -> Self {
        Self { breaker, admission }
    }

    /// Enters the scope of the call if it is a probe.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn enter_probe(&self) -> Option<Scope> {
        enter_probe(self.breaker, self.admission.period)
    }

    /// Classifies the result of the call, and reports the outcome.
    #[inline]
    pub(crate) fn observe<T, E>(
        self,
        result: &Result<T, E>,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> Ended {
        let outcome = classify(result);
        let Self { breaker, admission } = self;
        mem::forget(self);
        Ended {
            call: breaker.admitted(admission.period),
            outcome,
            recorded: breaker.record(admission, outcome),
        }
    }
}

impl Drop for FramePermit<'_> {
    #[cold]
    fn drop(&mut self) {
        fail(self.breaker, self.admission);
    }
}

// Both functions take the fields of a permit: a reference would keep the permit out of registers.

#[cold]
#[inline(never)]
fn fail(breaker: &Breaker, admission: Admission) {
    breaker.record(admission, Outcome::Failure);
}

#[cold]
#[inline(never)]
fn drop_slow(breaker: &Breaker, admission: Admission, is_live: bool, outcome: Outcome) {
    if is_live && is_unwinding() {
        breaker.record(admission, Outcome::Failure);
    } else {
        breaker.record_drop(admission, outcome);
    }
}

/// Enters the scope of a probe. A call that its user code makes through this breaker is part of the
/// probe. (Other calls enter no scope, since a healthy call must not write.)
#[cfg(feature = "std")]
#[inline]
fn enter_probe(breaker: &Breaker, period: Period) -> Option<Scope> {
    period
        .is_half_open()
        .then(|| scope::enter(breaker, Some(period)))
}

/// Returns true if a panic is unwinding this thread. Without `std` this is unknown, and false.
#[inline]
fn is_unwinding() -> bool {
    #[cfg(feature = "std")]
    return std::thread::panicking();
    #[cfg(not(feature = "std"))]
    false
}

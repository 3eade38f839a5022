//! What an admitted call holds until it ends.

use core::fmt;
#[cfg(feature = "std")]
use std::sync::Arc;

use crate::{Breaker, Outcome, Recorded, breaker::ticket::Ticket, classify};

/// The methods of a permit, whatever holds its breaker.
macro_rules! permit {
    (
        $(#[$attribute:meta])*
        $name:ident $(<$life:lifetime>)?, $held:ty
    ) => {
        $(#[$attribute])*
        #[must_use = "a permit that is dropped at once counts as a dropped call; end it with its outcome"]
        pub struct $name $(<$life>)? {
            breaker: $held,
            /// `None` once the call has ended.
            ticket: Option<Ticket>,
            /// Whether the thread was unwinding already, so that a drop says nothing of this call.
            unwinding: bool,
        }

        impl $(<$life>)? $name $(<$life>)? {
            #[inline]
            pub(crate) fn new(breaker: $held, ticket: Ticket) -> Self {
                Self { breaker, ticket: Some(ticket), unwinding: unwinding() }
            }

            /// Reports what a result means, `Ok` success and `Err` failure, and hands it back.
            ///
            /// # Errors
            ///
            /// Those of the result.
            #[inline]
            pub fn observe<T, E>(self, result: Result<T, E>) -> Result<T, E> {
                self.observe_with(result, classify::result)
            }

            /// Reports what `classify` makes of a result, and hands it back. If `classify` panics the
            /// call failed.
            ///
            /// # Errors
            ///
            /// Those of the result.
            #[inline]
            pub fn observe_with<T, E>(
                self,
                result: Result<T, E>,
                classify: impl FnOnce(&Result<T, E>) -> Outcome,
            ) -> Result<T, E> {
                let outcome = classify(&result);
                self.record(outcome);
                result
            }

            /// Reports a success.
            #[inline]
            pub fn success(self) {
                self.record(Outcome::Success);
            }

            /// Reports a failure.
            #[inline]
            pub fn failure(self) {
                self.record(Outcome::Failure);
            }

            /// Reports that the call proved nothing: a probe gives its place back.
            #[inline]
            pub fn ignore(self) {
                self.record(Outcome::Ignored);
            }

            /// Reports an outcome and says what became of it. The call that trips the breaker gets its own
            /// result, so nobody need look at this.
            #[inline]
            pub fn record(mut self, outcome: Outcome) -> Recorded {
                match self.ticket.take() {
                    Some(ticket) => self.breaker.settle(ticket, outcome),
                    None => unreachable!("a permit ends once, as ending it takes it"),
                }
            }

            /// Whether the call is a probe: one of the few let through to see if the partner is back.
            #[must_use]
            pub fn is_probe(&self) -> bool {
                self.ticket.is_some_and(|ticket| ticket.period.is_half_open())
            }

            /// The generation of the period that the call was admitted in. An outcome that comes after
            /// that period is stale and changes nothing.
            #[must_use]
            pub fn generation(&self) -> u16 {
                self.ticket.map_or(0, |ticket| ticket.period.generation())
            }
        }

        impl $(<$life>)? Drop for $name $(<$life>)? {
            #[inline]
            fn drop(&mut self) {
                if let Some(ticket) = self.ticket.take() {
                    self.breaker.end_dropped(ticket, self.unwinding);
                }
            }
        }

        impl $(<$life>)? fmt::Debug for $name $(<$life>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("generation", &self.generation())
                    .field("is_probe", &self.is_probe())
                    .finish_non_exhaustive()
            }
        }
    };
}

permit! {
    /// The right to make one call, from [`Breaker::try_acquire`].
    ///
    /// It ends exactly once: by reporting an outcome, which takes it, or by a drop, which means what the
    /// policy's [`on_drop`](crate::Policy::on_drop) says. **In async Rust an outer timeout is a drop**: put
    /// the timeout inside, where it is an error that the breaker sees, or choose what a drop means. A
    /// permit that a panic drops is a failure.
    ///
    /// ```
    /// use cutout::Breaker;
    ///
    /// static PARTNER: Breaker = Breaker::new();
    ///
    /// fn quote() -> Result<u32, Box<dyn std::error::Error>> {
    ///     let permit = PARTNER.try_acquire()?;
    ///     Ok(permit.observe("42".parse())?)
    /// }
    /// assert_eq!(quote().unwrap(), 42);
    /// ```
    ///
    /// Reporting twice compiles in no way:
    ///
    /// ```compile_fail,E0382
    /// # let breaker = cutout::Breaker::new();
    /// let permit = breaker.try_acquire().unwrap();
    /// permit.success();
    /// permit.failure();
    /// ```
    ///
    /// while this, the same with one report less, compiles:
    ///
    /// ```
    /// # let breaker = cutout::Breaker::new();
    /// let permit = breaker.try_acquire().unwrap();
    /// permit.success();
    /// ```
    Permit<'a>, &'a Breaker
}

#[cfg(feature = "std")]
permit! {
    /// A [`Permit`] that keeps its breaker alive, for a spawned task: from
    /// [`Breaker::try_acquire_owned`].
    ///
    /// ```
    /// use cutout::Breaker;
    /// use std::{sync::Arc, thread};
    ///
    /// let breaker = Arc::new(Breaker::new());
    /// let permit = breaker.try_acquire_owned().unwrap();
    /// thread::spawn(move || permit.success()).join().unwrap();
    /// ```
    OwnedPermit, Arc<Breaker>
}

/// Whether this thread is unwinding; without `std` nobody can know.
#[inline]
pub(crate) fn unwinding() -> bool {
    #[cfg(feature = "std")]
    return std::thread::panicking();
    #[cfg(not(feature = "std"))]
    false
}

//! Rejections that show the last error, and a log of the last failures. (Feature `last-error`.)
//!
//! A rejection of a plain [`Breaker`] has a duration, not a cause: the errors went to earlier
//! callers. [`WithLastError`] adds the last error to each rejection. A [`FailureLog`] keeps the
//! last failures for operators.
//!
//! Use a plain breaker
//!
//! * where errors are logged anyway;
//! * where an error must not be shown to another caller;
//! * where an error holds an expensive resource: the last one is kept until the breaker recovers or
//!   another error replaces it.
//!
//! ```
//! use cutout::{Breaker, Trip, last_error::{FailureLog, WithLastError}};
//! use std::io;
//!
//! static FAILURES: FailureLog = FailureLog::new(100);
//! static BILLING: WithLastError<io::Error> = WithLastError::logging(
//!     Breaker::builder().trip(Trip::consecutive(1)).build(),
//!     &FAILURES,
//!     |error| if error.kind() == io::ErrorKind::TimedOut { "timeout" } else { "io" },
//! );
//!
//! fn quote() -> io::Result<u32> {
//!     Err(io::Error::other("connection refused"))
//! }
//!
//! BILLING.call(quote).unwrap_err();
//! let rejected = BILLING.call(quote).unwrap_err();
//! assert!(rejected.is_rejected());
//! assert!(rejected.to_string().ends_with("; last error: connection refused"));
//!
//! let read = FAILURES.read();
//! assert_eq!(read.failures[0].class, "io");
//! assert_eq!(&*read.failures[0].message, "connection refused");
//! ```
//!
//! # What it costs
//!
//! | | in addition to the cost of the breaker |
//! |---|---|
//! | a healthy call | nothing: no access to memory, no clock |
//! | another success | one comparison; the success that recovers drops the stored error |
//! | an error of any outcome | one allocation, since the error is shared |
//! | an error that counts as a failure | one more allocation, and a swap |
//! | the same, logged | formatting of the message (256 bytes) and its allocation, a reading of the wall clock, one more allocation, an atomic addition and a CAS |
//! | a rejection | a load of the word, and a reference count that all rejections share |
//!
//! A swap or a CAS also inspects a few slots for each thread that uses `arc_swap`, in return for
//! cheaper reads. The first use on a thread allocates its slots.

mod call;
mod error;
mod future;
mod log;
mod message;
mod sink;
mod stored;

use core::{borrow::Borrow, fmt};
use std::sync::Arc;

use crate::Breaker;

use sink::{LogHandle, LogSink};
use stored::LastError;

pub use error::Error;
pub use log::{Failure, FailureLog, LogSnapshot};

/// A breaker whose rejections show the last error.
///
/// `B` is the breaker, a `&'static Breaker` or an `Arc<Breaker>`. A call through another handle of
/// the same breaker is counted, but its error is not stored.
///
/// **Stored**: the error of a call that the classifier calls a failure and the breaker counts. Not
/// stored:
///
/// * an error that is a success or ignored;
/// * an error that arrives after the end of its period;
/// * an error while an operator has disabled the breaker.
///
/// A failure without an error leaves the stored one: a panic, a drop, a slow call, an `Ok` that the
/// classifier calls a failure.
///
/// **Shown by a rejection**: the last stored error of *the same* outage, that is of the closed
/// period that tripped or of a later probe. An error of another outage is never shown, in any race
/// of threads: the generations of error, rejection and word decide. No error is shown in these
/// cases:
///
/// * For an instant after a trip, since the error is stored after it is counted. (If several
///   failures trip, the rejection shows the previous error.)
/// * The outage had ended before the rejection was created.
/// * A thread was suspended between counting a failure and storing its error, and replaced an error
///   of a later outage. The next failure repairs this.
/// * An operator holds the breaker. Likewise errors from before a `force_open_for` are not shown,
///   except errors of the period that it ended.
///
/// After more than 31 reopens, an error from before the last 31 is not shown. After a multiple of
/// 65 536 transitions without a failure or a recovery through this handle, an older error can be
/// shown as current.
pub struct WithLastError<E, B = Breaker> {
    breaker: B,
    last: LastError<E>,
    sink: Option<LogSink<E>>,
}

impl<E, B> WithLastError<E, B> {
    /// Stores the last error of calls through this breaker.
    pub const fn new(breaker: B) -> Self {
        Self {
            breaker,
            last: LastError::new(),
            sink: None,
        }
    }

    /// Stores the last error, and logs each failure with the class that `class` returns for its
    /// error.
    ///
    /// An `Ok` that counts as a failure is logged with the class `"result"`. If `class` or the
    /// error's `Display` panics, the panic is caught and that failure is not logged.
    pub const fn logging(
        breaker: B,
        log: &'static FailureLog,
        class: fn(&E) -> &'static str,
    ) -> Self
    where
        E: fmt::Display,
    {
        Self {
            breaker,
            last: LastError::new(),
            sink: Some(LogSink::new(LogHandle::Static(log), class)),
        }
    }

    /// Like [`WithLastError::logging`], with a log that is created at run time.
    ///
    /// ```
    /// use cutout::{Breaker, last_error::{FailureLog, WithLastError}};
    /// use std::sync::Arc;
    ///
    /// let log = Arc::new(FailureLog::new(10));
    /// let billing = WithLastError::new(Breaker::new()).with_shared_log(log.clone(), |_| "parse");
    /// billing.call(|| "many".parse::<u32>()).unwrap_err();
    /// assert_eq!(log.read().failures.len(), 1);
    /// ```
    #[must_use]
    pub fn with_shared_log(mut self, log: Arc<FailureLog>, class: fn(&E) -> &'static str) -> Self
    where
        E: fmt::Display,
    {
        self.sink = Some(LogSink::new(LogHandle::Shared(log), class));
        self
    }
}

impl<E, B: Borrow<Breaker>> WithLastError<E, B> {
    /// Returns the breaker, for its state and its operator commands.
    pub fn breaker(&self) -> &Breaker {
        self.breaker.borrow()
    }

    /// Returns the last error of the current outage or, while the breaker is closed, of the current
    /// closed period. Made for status pages: causes no transition and reads no clock.
    #[must_use]
    pub fn last_error(&self) -> Option<Arc<E>> {
        self.last.current(self.breaker())
    }
}

impl<E, B: fmt::Debug> fmt::Debug for WithLastError<E, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithLastError")
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}

//! What broke: a rejection that shows the last error, and a log of the last failures. (Feature `last-error`.)
//!
//! A rejection of a plain [`Breaker`] says for how long, not why: the errors went to the callers of before. Put
//! [`WithLastError`] around it where whoever is rejected, or reads what they log, is to see what broke without
//! looking for it; feed a [`FailureLog`] where operators want the last failures at hand. Use the breaker alone where
//! errors are logged anyway, where an error must not be shown to another caller, or where it holds what is dear:
//! one is kept until the breaker recovers or another takes its place.
//!
//! ```
//! use cutout::{Breaker, Trip, last_error::{FailureLog, WithLastError}};
//! use std::io;
//!
//! static FAILURES: FailureLog = FailureLog::new(100);
//! static PARTNER: WithLastError<io::Error> = WithLastError::logging(
//!     Breaker::builder().trip(Trip::consecutive(1)).build(),
//!     &FAILURES,
//!     |error| if error.kind() == io::ErrorKind::TimedOut { "timeout" } else { "io" },
//! );
//!
//! fn quote() -> io::Result<u32> {
//!     Err(io::Error::other("connection refused"))
//! }
//!
//! PARTNER.call(quote).unwrap_err();
//! let rejected = PARTNER.call(quote).unwrap_err();
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
//! | | beside what the breaker costs |
//! |---|---|
//! | a healthy call | nothing: no memory is read or written for it, and no time asked for |
//! | another success | one comparison; the one that recovers empties the memory |
//! | an error, whatever it counts as | one allocation, as it is shared from here on |
//! | an error that counts as a failure | one allocation and one swap more |
//! | the same, logged | the message is formatted, cut at 256 bytes and allocated, the time of day asked for; one allocation more, an atomic addition and a CAS |
//! | a rejection | a load of the word, and a reference count that all rejections share |
//!
//! A swap or CAS here also looks through a few slots for each thread that uses `arc_swap`, whose readers it spares; a
//! thread's first use allocates its slots.

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

/// A breaker that remembers the last error, so that its rejections can show what broke.
///
/// `B` is the breaker, a `&'static Breaker` or an `Arc<Breaker>`. What is called through another handle to the same
/// breaker is counted by it, but not remembered here.
///
/// **What is remembered**: the error of a call that the classifier calls a failure and that the breaker counted.
/// Not an error that is a success or ignored; not one that comes when its period is over; none that comes while an
/// operator has disabled the breaker. What fails without an error (a panic, a drop, a slow call, an `Ok` that the
/// classifier calls a failure) leaves the one that stands.
///
/// **What a rejection shows**: the last error remembered of *its* outage, that is of the closed period that tripped
/// or of a probe since; never one of another outage, however threads race. This is decided by the generations of
/// error, rejection and word, not by when the memory is emptied. It shows none
///
/// * for an instant after a trip: the error is stored when it has been counted. (With more than one failure to a trip
///   it shows the one before.)
/// * if the outage was over by the time that the rejection was put together;
/// * if a thread stopped between counting its failure and storing it, for so long that it stored it in a later outage,
///   over an error of that. The next failure mends it;
/// * if an operator holds the breaker: nothing broke. The same goes for what broke before a `force_open_for`,
///   but for errors of the period that it ended.
///
/// After more than 31 reopens an error of before the last 31 counts as none; after a multiple of 65 536 transitions
/// without a failure or a recovery through this handle, one of before them can count as of now.
pub struct WithLastError<E, B = Breaker> {
    breaker: B,
    last: LastError<E>,
    sink: Option<LogSink<E>>,
}

impl<E, B> WithLastError<E, B> {
    /// Remembers the errors of calls through this breaker.
    pub const fn new(breaker: B) -> Self {
        Self {
            breaker,
            last: LastError::new(),
            sink: None,
        }
    }

    /// Remembers the errors, and logs each failure with the class that `class` gives its error.
    ///
    /// An `Ok` that counts as a failure is logged too, with the class `"result"`. If `class` or the error's
    /// `Display` panics, that failure is not logged, and the panic goes no farther.
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

    /// [`WithLastError::logging`], to a log that is made at run time.
    ///
    /// ```
    /// use cutout::{Breaker, last_error::{FailureLog, WithLastError}};
    /// use std::sync::Arc;
    ///
    /// let log = Arc::new(FailureLog::new(10));
    /// let partner = WithLastError::new(Breaker::new()).with_shared_log(log.clone(), |_| "parse");
    /// partner.call(|| "many".parse::<u32>()).unwrap_err();
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
    /// The breaker: for its state and the operator's switch.
    pub fn breaker(&self) -> &Breaker {
        self.breaker.borrow()
    }

    /// The last error of the outage that stands, or, while the breaker is closed, of this closed period: for a
    /// status page. Never moves the breaker, reads no clock.
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

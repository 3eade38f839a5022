//! From a breaker's failures to the log.

use core::fmt::Display;
use std::sync::Arc;

use crate::listener::catch_panic;

use super::FailureLog;

/// What a result that is no error, but counts as a failure, is logged as.
const RESULT: (&str, &str) = ("result", "a result that counts as a failure");

/// A log, and how an error is written there.
pub(super) struct LogSink<E> {
    log: LogHandle,
    class: fn(&E) -> &'static str,
    /// The error, as what can be displayed: so that `E` need not be, where there is no log.
    message: fn(&E) -> &dyn Display,
}

pub(super) enum LogHandle {
    Static(&'static FailureLog),
    Shared(Arc<FailureLog>),
}

impl<E> LogSink<E> {
    pub(super) const fn new(log: LogHandle, class: fn(&E) -> &'static str) -> Self
    where
        E: Display,
    {
        Self {
            log,
            class,
            message: |error| error,
        }
    }

    /// Logs a failure. The call has been counted and its caller waits for its result: a panic in the user's code
    /// goes no farther.
    pub(super) fn log(&self, generation: u16, error: Option<&E>) {
        let log = match &self.log {
            LogHandle::Static(log) => *log,
            LogHandle::Shared(log) => log,
        };
        catch_panic(|| match error {
            Some(error) => log.record(generation, (self.class)(error), (self.message)(error)),
            None => log.record(generation, RESULT.0, &RESULT.1),
        });
    }
}

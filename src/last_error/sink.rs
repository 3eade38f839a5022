//! [`LogSink`]: writes the failures of a breaker to its log.

use core::fmt::Display;
use std::sync::Arc;

use crate::listener::catch_panic;

use super::FailureLog;

/// Class and message of an `Ok` that counts as a failure.
const RESULT: (&str, &str) = ("result", "a result that counts as a failure");

/// A log, and the functions that give class and message of an error.
pub(super) struct LogSink<E> {
    log: LogHandle,
    class: fn(&E) -> &'static str,
    /// Converts the error to `dyn Display`, so that only a sink requires `E: Display`.
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

    /// Logs a failure. A panic in the user's code is caught, since the call has been counted and
    /// its caller waits for the result.
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

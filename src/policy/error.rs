//! [`PolicyError`]: the field, bound and value of a refused policy.

use core::{fmt, time::Duration};

use super::text::Text;

/// Error for a policy value that is out of bounds.
///
/// ```
/// use cutout::Breaker;
/// use std::time::Duration;
///
/// let error = Breaker::builder().open_for(Duration::from_millis(5)).try_build().unwrap_err();
/// assert_eq!(error.field(), "open_for");
/// assert_eq!(error.to_string(), "open_for must be 10ms to 30d, got 5ms");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyError {
    field: &'static str,
    bound: Bound,
    value: Value,
}

/// The requirement that a value violates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Numbers(u32, u32),
    Durations(Duration, Duration),
    /// The upper bound is the probe lease.
    WithinLease(Duration, Duration),
    WholeMillis,
    Rule(&'static str),
}

/// The value that was refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    Number(u32),
    Duration(Duration),
    Text(&'static str),
}

impl PolicyError {
    pub(super) const fn new(field: &'static str, bound: Bound, value: Value) -> Self {
        Self {
            field,
            bound,
            value,
        }
    }

    /// Error for a number that is not a policy field but is validated in the same way.
    #[cfg(any(feature = "keyed", feature = "last-error"))]
    pub(crate) const fn number(field: &'static str, low: u32, high: u32, value: u32) -> Self {
        Self::new(field, Bound::Numbers(low, high), Value::Number(value))
    }

    pub(crate) const fn rule(field: &'static str, rule: &'static str, value: &'static str) -> Self {
        Self::new(field, Bound::Rule(rule), Value::Text(value))
    }

    /// The field, by the name of its setter.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// The error message, in a form that a `const` panic can print.
    pub(crate) const fn text(&self) -> Text {
        let text = Text::new().text(self.field).text(" must be ");
        let text = match self.bound {
            Bound::Numbers(low, high) => text.number(low as u128).text(" to ").number(high as u128),
            Bound::Durations(low, high) => text.duration(low).text(" to ").duration(high),
            Bound::WithinLease(low, high) => text
                .duration(low)
                .text(" to ")
                .duration(high)
                .text(" (the probe_lease)"),
            Bound::WholeMillis => text.text("whole milliseconds"),
            Bound::Rule(rule) => text.text(rule),
        };
        let text = text.text(", got ");
        match self.value {
            Value::Number(value) => text.number(value as u128),
            Value::Duration(value) => text.duration(value),
            Value::Text(value) => text.text(value),
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text().as_str())
    }
}

impl fmt::Debug for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PolicyError({})", self.text().as_str())
    }
}

impl core::error::Error for PolicyError {}

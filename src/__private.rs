//! Support code for the expansion of the attribute. Not part of the public interface.

use crate::{Error, PolicyError, Rejected};

/// Refuses a policy at compile time, at the location of the call.
///
/// # Panics
///
/// Always panics, with the text of the error.
#[track_caller]
pub const fn refuse(error: PolicyError) -> ! {
    panic!("{}", error.text().as_str())
}

/// Returns true if the error is about this field.
#[must_use]
pub const fn is_of(error: &PolicyError, field: &str) -> bool {
    let (one, other) = (error.field().as_bytes(), field.as_bytes());
    let mut i = 0;
    while i < one.len() && i < other.len() && one[i] == other[i] {
        i += 1;
    }
    i == one.len() && i == other.len()
}

/// Returns the breaker that the attribute names. The compiler shows the line of the bound, with the
/// remedy.
#[must_use]
pub const fn not_a_const<T>(breaker: T) -> T
where
    T: 'static, // a `const` is a fresh breaker for each call, which never trips: make it a `static`
{
    breaker
}

/// Converts an error to the result of a function without a fallback.
///
/// # Errors
///
/// Always returns the error of the call, or its conversion of a rejection.
pub fn flatten<T, E: FromRejected>(error: Error<E>) -> Result<T, E> {
    Err(error.flatten())
}

/// An error type that can be created from a rejection.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be made from a breaker's rejection",
    label = "`From<cutout::Rejected>` is not implemented for `{Self}`",
    note = "implement it, or name a `fallback` in the attribute"
)]
pub trait FromRejected: From<Rejected> {}

#[diagnostic::do_not_recommend]
impl<E: From<Rejected>> FromRejected for E {}

/// Gives unreachable code the type that a body returns.
///
/// # Panics
///
/// Always panics.
#[must_use]
pub fn never<T>() -> T {
    unreachable!()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;

    #[test]
    fn an_error_is_about_its_field_and_no_other() {
        let error = Policy::new().probes(0).validate().unwrap_err();
        assert!(is_of(&error, "probes"));
        for other in ["", "probe", "probes_", "probe_successes", "proben"] {
            assert!(!is_of(&error, other), "{other}");
        }
    }
}

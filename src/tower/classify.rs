//! Classification of results as outcomes.

use crate::{Outcome, classify};

/// Classifies the result of a call.
///
/// Implemented by functions and closures of the whole `Result`:
/// `fn(&Result<Response, Error>) -> Outcome`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not classify `Result<{Response}, {Error}>`",
    note = "it should be an `Fn(&Result<{Response}, {Error}>) -> cutout::Outcome`"
)]
pub trait Classify<Response, Error> {
    /// Returns the outcome of this result.
    fn classify(&self, result: &Result<Response, Error>) -> Outcome;
}

impl<Response, Error, F> Classify<Response, Error> for F
where
    F: Fn(&Result<Response, Error>) -> Outcome,
{
    #[inline]
    fn classify(&self, result: &Result<Response, Error>) -> Outcome {
        self(result)
    }
}

/// Classifies `Ok` as a success and `Err` as a failure, like
/// [`classify::result`](crate::classify::result), for every type of result. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByResult;

impl<Response, Error> Classify<Response, Error> for ByResult {
    #[inline]
    fn classify(&self, result: &Result<Response, Error>) -> Outcome {
        classify::result(result)
    }
}

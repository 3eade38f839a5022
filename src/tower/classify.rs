//! What the result of a call says of the dependency.

use crate::{Outcome, classify};

/// Says what the result of a call says of the dependency.
///
/// Functions and closures over the whole `Result` do: `fn(&Result<Response, Error>) -> Outcome`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not classify `Result<{Response}, {Error}>`",
    note = "it should be an `Fn(&Result<{Response}, {Error}>) -> cutout::Outcome`"
)]
pub trait Classify<Response, Error> {
    /// What this result says of the dependency.
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

/// `Ok` is a success, `Err` a failure: [`classify::result`](crate::classify::result) for every type of
/// result. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByResult;

impl<Response, Error> Classify<Response, Error> for ByResult {
    #[inline]
    fn classify(&self, result: &Result<Response, Error>) -> Outcome {
        classify::result(result)
    }
}

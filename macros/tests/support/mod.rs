//! An error type that the tests of functions share.

use std::{fmt, num::ParseIntError};

use cutout::Rejected;

/// An error with a conversion from a rejection.
#[derive(Debug, PartialEq)]
pub(crate) enum Broken {
    Rejected(Rejected),
    Service,
    Number,
}

impl From<Rejected> for Broken {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl From<fmt::Error> for Broken {
    fn from(_: fmt::Error) -> Self {
        Self::Service
    }
}

impl From<ParseIntError> for Broken {
    fn from(_: ParseIntError) -> Self {
        Self::Number
    }
}

//! Lines on standard output.

use std::{
    fmt::Display,
    io::{self, Write},
};

/// Prints a line. Ignores a closed pipe (`| head`), where `println!` would panic.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

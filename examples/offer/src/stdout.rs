//! Lines on standard output.

use std::{
    fmt::Display,
    io::{self, Write},
};

/// Prints a line. Whoever has stopped reading (`| head`) misses nothing, while `println!` would panic.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

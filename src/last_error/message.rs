//! Truncates messages for the log.

use core::fmt::{self, Display, Write};
use std::{boxed::Box, string::String};

/// The largest number of bytes of a message.
const MAX_BYTES: usize = 256;

/// Formats a message, up to the last whole character that fits. Formatting stops there with an
/// error, so a longer message is never held in memory.
pub(super) fn truncated(message: &dyn Display) -> Box<str> {
    let mut truncated = Truncated {
        text: String::new(),
        full: false,
    };
    // An error means that the message was cut, or that its own `Display` failed: keep what is
    // there.
    let _ = write!(truncated, "{message}");
    truncated.text.into_boxed_str()
}

struct Truncated {
    text: String,
    full: bool,
}

impl Write for Truncated {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.full {
            return Err(fmt::Error);
        }
        let fits = part.floor_char_boundary(MAX_BYTES - self.text.len());
        self.text.push_str(&part[..fits]);
        self.full = fits < part.len();
        if self.full { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::Cell;

    #[test]
    fn a_message_that_fits_is_kept_whole() {
        for length in [0, 1, MAX_BYTES] {
            let message = "x".repeat(length);
            assert_eq!(*truncated(&message), *message);
        }
    }

    #[test]
    fn a_longer_message_is_cut_at_a_character() {
        assert_eq!(truncated(&"x".repeat(MAX_BYTES + 1)).len(), MAX_BYTES);
        let message = format!("x{}", "é".repeat(MAX_BYTES));
        assert_eq!(*truncated(&message), message[..MAX_BYTES - 1]);
    }

    #[test]
    fn formatting_of_an_endless_message_is_stopped() {
        struct Long<'a>(&'a Cell<u32>);
        impl Display for Long<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (0..10_000).try_for_each(|_| {
                    self.0.set(self.0.get() + 1);
                    f.write_str("never ")
                })
            }
        }
        let written = Cell::new(0);
        assert_eq!(truncated(&Long(&written)).len(), MAX_BYTES);
        assert_eq!(written.get(), 43, "the 43rd does not fit");
    }

    #[test]
    fn nothing_is_written_after_the_cut() {
        struct Stubborn;
        impl Display for Stubborn {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let _ = f.write_str(&"x".repeat(MAX_BYTES - 1));
                let _ = f.write_str("é");
                let _ = f.write_str("y");
                Ok(())
            }
        }
        assert_eq!(*truncated(&Stubborn), *"x".repeat(MAX_BYTES - 1));
    }
}

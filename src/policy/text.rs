//! Formats a line of text at compile time. `format!` can't run in a `const`, where the error of a
//! refused policy must still name field, value and bound.

use core::time::Duration;

/// Capacity in bytes, above the length of the longest message. Longer text is truncated.
const ROOM: usize = 192;

/// A line of text in a buffer of fixed capacity.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    bytes: [u8; ROOM],
    len: usize,
}

impl Text {
    pub(super) const fn new() -> Self {
        Self {
            bytes: [0; ROOM],
            len: 0,
        }
    }

    /// Appends text, which must be ASCII.
    pub(super) const fn text(mut self, text: &str) -> Self {
        let mut i = 0;
        while i < text.len() && self.len < ROOM {
            self.bytes[self.len] = text.as_bytes()[i];
            self.len += 1;
            i += 1;
        }
        self
    }

    pub(super) const fn number(self, number: u128) -> Self {
        let shorter = if number >= 10 {
            self.number(number / 10)
        } else {
            self
        };
        shorter.text(DIGITS.split_at((number % 10) as usize).1.split_at(1).0)
    }

    /// Appends a duration in its largest whole unit, in the format of a policy file.
    pub(super) const fn duration(self, duration: Duration) -> Self {
        let nanos = duration.as_nanos();
        let mut i = 0;
        while i < UNITS.len() {
            let (unit, name) = UNITS[i];
            if nanos != 0 && nanos.is_multiple_of(unit) {
                return self.number(nanos / unit).text(name);
            }
            i += 1;
        }
        self.text("0ms")
    }

    pub(crate) const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

const DIGITS: &str = "0123456789";

const UNITS: [(u128, &str); 7] = [
    (86_400_000_000_000, "d"),
    (3_600_000_000_000, "h"),
    (60_000_000_000, "m"),
    (1_000_000_000, "s"),
    (1_000_000, "ms"),
    (1_000, "us"),
    (1, "ns"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_durations_are_written_out() {
        let number = |n| Text::new().number(n).as_str().to_owned();
        assert_eq!(number(0), "0");
        assert_eq!(number(65_535), "65535");
        let duration = |d| Text::new().duration(d).as_str().to_owned();
        assert_eq!(duration(Duration::ZERO), "0ms");
        assert_eq!(duration(Duration::from_secs(15)), "15s");
        assert_eq!(duration(Duration::from_millis(1_500)), "1500ms");
        assert_eq!(duration(Duration::from_hours(720)), "30d");
        assert_eq!(duration(Duration::from_nanos(1_500)), "1500ns");
        assert_eq!(duration(Duration::MAX), "18446744073709551615999999999ns");
    }

    #[test]
    fn text_beyond_the_room_is_cut() {
        let text = Text::new().text(&"x".repeat(ROOM + 9));
        assert_eq!(text.as_str().len(), ROOM);
    }
}

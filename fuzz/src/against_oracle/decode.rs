//! Decodes numbers and times from bytes. Every byte is valid, and missing bytes at the end are `0`.
//!
//! | input | bytes | value |
//! |---|---|---|
//! | digit | 1 | `0` to `9`, `a` to `z` for 10 to 35; any other byte b is 2^(b / 4) + b % 4 - 2 |
//! | number | 2 | the first digit times ten, and the second: `07`, `20`, `z9` |
//! | time | 3 | a unit and a number: `m15` is 15 ms |
//! | offset | 4 | `-` or any other sign, and a time |
//!
//! Units are `n`, `u`, `m`, `s`, `h`, `d`, and `t` for a tick of 250 µs. `l` and `L` are the ranges
//! at which lease ends and deadlines wrap. `M` is the longest duration.

use std::time::Duration;

/// The ranges at which a deadline, a lease end and the stamp of a failure wrap, in nanoseconds.
pub(super) const DEADLINES_WRAP: u64 = (1 << 40) * TICK;
pub(super) const LEASES_WRAP: u64 = (1 << 28) * 4_000_000;
pub(super) const ENTRIES_WRAP: u64 = (1 << 47) * 1_000;
const TICK: u64 = 250_000;

const UNITS: [(u8, u64); 10] = [
    (b'm', 1_000_000),
    (b's', 1_000_000_000),
    (b'n', 1),
    (b'u', 1_000),
    (b'h', 3_600_000_000_000),
    (b'd', 86_400_000_000_000),
    (b't', TICK),
    (b'l', LEASES_WRAP),
    (b'L', DEADLINES_WRAP),
    (b'M', u64::MAX),
];

/// The input that has not been decoded yet.
pub(super) struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        loop {
            let (&letter, rest) = self.0.split_first()?;
            self.0 = rest;
            if !b" \n|".contains(&letter) {
                return Some(letter);
            }
        }
    }

    pub(super) fn letter(&mut self) -> u8 {
        self.next().unwrap_or(b'0')
    }

    pub(super) fn digit(&mut self) -> u64 {
        match self.letter() {
            digit @ b'0'..=b'9' => u64::from(digit - b'0'),
            digit @ b'a'..=b'z' => u64::from(digit - b'a') + 10,
            other => ((1_u64 << (other / 4)) + u64::from(other % 4)).saturating_sub(2),
        }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.digit().saturating_mul(10).saturating_add(self.digit())
    }

    /// Decodes a number and clamps it to the bounds.
    pub(super) fn number_in(&mut self, low: u32, high: u32) -> u32 {
        let within = self.number().clamp(low.into(), high.into());
        u32::try_from(within).expect("at most a u32")
    }

    pub(super) fn time(&mut self) -> Duration {
        self.time_and_number().0
    }

    /// Decodes a time, and returns the number in it as well.
    pub(super) fn time_and_number(&mut self) -> (Duration, u64) {
        let letter = self.letter();
        let known = UNITS.iter().find(|(unit, _)| *unit == letter);
        let (_, nanos) = known.unwrap_or(&UNITS[usize::from(letter) % UNITS.len()]);
        let number = self.number();
        let time = if *nanos == u64::MAX {
            Duration::MAX
        } else {
            Duration::from_nanos(nanos.saturating_mul(number))
        };
        (time, number)
    }

    /// Decodes an offset of at most five seconds, in nanoseconds.
    pub(super) fn offset(&mut self) -> i64 {
        let back = self.letter() == b'-';
        let time = self.time().min(Duration::from_secs(5));
        let nanos = i64::try_from(time.as_nanos()).expect("five seconds");
        if back { -nanos } else { nanos }
    }
}

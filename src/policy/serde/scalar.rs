//! Deserializes numbers and durations. Errors contain an example.

use core::{fmt, time::Duration};

use humantime_serde::re::humantime::parse_duration;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Expected, Unexpected, Visitor},
};

/// A whole number.
pub(super) struct Whole(pub(super) u64);

/// A whole number that fits 32 bits.
pub(super) struct Number(pub(super) u32);

/// A length of time.
pub(super) struct Length(pub(super) Duration);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(WholeVisitor).map(Self)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Whole(number) = Whole::deserialize(deserializer)?;
        match u32::try_from(number) {
            Ok(number) => Ok(Self(number)),
            Err(_) => Err(unfit(Unexpected::Unsigned(number), &WholeVisitor)),
        }
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(LengthVisitor).map(Self)
    }
}

fn unfit<E: Error>(found: Unexpected<'_>, expected: &dyn Expected) -> E {
    E::invalid_value(found, expected)
}

struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number such as 3")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
        u64::try_from(number).map_err(|_| unfit(Unexpected::Signed(number), &self))
    }
}

struct LengthVisitor;

impl Visitor<'_> for LengthVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"15s\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        parse_duration(text).map_err(|_| unfit(Unexpected::Str(text), &self))
    }
}

//! Deserializes a value from a map only, key by key.
//!
//! A derived `Deserialize` also accepts a sequence, in field order, and names private structs in
//! its errors. Bounds are checked as each key is read, while the format still knows the line.

use core::{fmt, marker::PhantomData};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, Visitor},
};

/// A value that is deserialized from a map.
pub(super) trait FromMap: Default {
    /// The expected input, with an example.
    const EXPECTED: &'static str;
    const KEYS: &'static [&'static str];
    type Value;

    /// Reads the value of one of the keys.
    ///
    /// # Errors
    ///
    /// Returns an error if the value has the wrong type, or if the values read so far are out of
    /// bounds.
    fn read<'de, D: Deserializer<'de>>(&mut self, key: &str, value: D) -> Result<(), D::Error>;

    /// Returns the value after the last key has been read.
    ///
    /// # Errors
    ///
    /// Returns an error if a key is missing.
    fn finish<E: Error>(self) -> Result<Self::Value, E>;
}

/// Reads a map.
///
/// # Errors
///
/// Returns an error if the input is not a map, or if a key is unknown, missing or duplicated.
pub(super) fn from_map<'de, M: FromMap, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<M::Value, D::Error> {
    // With `deserialize_struct`, a flattened policy would not see unknown keys.
    deserializer.deserialize_any(MapOnly::<M>(PhantomData))
}

/// Reads the keys of a map.
///
/// # Errors
///
/// Returns an error if a key is unknown, missing or duplicated.
pub(super) fn from_keys<'de, M: FromMap, A: MapAccess<'de>>(
    mut keys: A,
) -> Result<M::Value, A::Error> {
    let mut value = M::default();
    let mut seen = Vec::new();
    while let Some(key) = keys.next_key_seed(UnreadKey::<M>(PhantomData, &seen))? {
        seen.push(key);
        keys.next_value_seed(UnreadValue {
            value: &mut value,
            key,
        })?;
    }
    value.finish()
}

struct MapOnly<M>(PhantomData<M>);

impl<'de, M: FromMap> Visitor<'de> for MapOnly<M> {
    type Value = M::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(M::EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<Self::Value, A::Error> {
        from_keys::<M, A>(keys)
    }
}

/// A key that has not been read yet. The field `1` lists the keys that have.
struct UnreadKey<'a, M>(PhantomData<M>, &'a [&'static str]);

impl<'de, M: FromMap> DeserializeSeed<'de> for UnreadKey<'_, M> {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<M: FromMap> Visitor<'_> for UnreadKey<'_, M> {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of the keys {}", M::KEYS.join(", "))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let known = M::KEYS.iter().copied().find(|key| *key == text);
        let key = known.ok_or_else(|| E::unknown_field(text, M::KEYS))?;
        if self.1.contains(&key) {
            return Err(E::duplicate_field(key));
        }
        Ok(key)
    }
}

struct UnreadValue<'a, M> {
    value: &'a mut M,
    key: &'static str,
}

impl<'de, M: FromMap> DeserializeSeed<'de> for UnreadValue<'_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.value.read(self.key, deserializer)
    }
}

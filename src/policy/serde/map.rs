//! A value that is read from a map only, key by key.
//!
//! A derived `Deserialize` also takes a sequence, by the order of the fields, and names private
//! structs in its errors. Bounds are checked as each key is read, since a format then knows its
//! line.

use core::{fmt, marker::PhantomData};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, Visitor},
};

/// A value that is read from a map.
pub(super) trait FromMap: Default {
    /// What is expected, with an example.
    const EXPECTED: &'static str;
    const KEYS: &'static [&'static str];
    type Value;

    /// Reads the value of one of the keys.
    ///
    /// # Errors
    ///
    /// If the value is of another kind, or what has been read so far is out of its bounds.
    fn read<'de, D: Deserializer<'de>>(&mut self, key: &str, value: D) -> Result<(), D::Error>;

    /// The value, after the last key.
    ///
    /// # Errors
    ///
    /// If a key is missing.
    fn finish<E: Error>(self) -> Result<Self::Value, E>;
}

/// Reads a map.
///
/// # Errors
///
/// If this is anything but a map, or a key is unknown, missing or there twice.
pub(super) fn from_map<'de, M: FromMap, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<M::Value, D::Error> {
    // As a struct, a flattened policy would see those keys only that it knows.
    deserializer.deserialize_any(MapOnly::<M>(PhantomData))
}

/// Reads the keys of a map.
///
/// # Errors
///
/// If a key is unknown, missing or there twice.
pub(super) fn from_keys<'de, M: FromMap, A: MapAccess<'de>>(
    mut keys: A,
) -> Result<M::Value, A::Error> {
    let mut value = M::default();
    let mut seen = Vec::new();
    while let Some(key) = keys.next_key_seed(Key::<M>(PhantomData, &seen))? {
        seen.push(key);
        keys.next_value_seed(Entry {
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

/// One of the keys that has not been seen.
struct Key<'a, M>(PhantomData<M>, &'a [&'static str]);

impl<'de, M: FromMap> DeserializeSeed<'de> for Key<'_, M> {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<M: FromMap> Visitor<'_> for Key<'_, M> {
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

struct Entry<'a, M> {
    value: &'a mut M,
    key: &'static str,
}

impl<'de, M: FromMap> DeserializeSeed<'de> for Entry<'_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.value.read(self.key, deserializer)
    }
}

//! Keys of the map, which are hashed only once.
//!
//! The map hashes its keys again while it grows. A panic at that point would block other threads
//! for ever, and so would a `Hash` that uses the set. Therefore each entry stores its hash, and the
//! map uses the stored hash.

use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash, Hasher},
};

use papaya::Equivalent;

use super::ring::EntryId;

/// A key of the map. It is stored beside its breaker, so that a look-up follows no other pointer.
pub(super) struct StoredKey<K> {
    pub(super) id: EntryId,
    pub(super) key: K,
}

/// A key to find an entry by, possibly in its borrowed form.
pub(super) struct LookupKey<'a, Q: ?Sized> {
    pub(super) key: &'a Q,
    pub(super) hash: u64,
}

/// An entry to find by its identity. No code of its key runs, so a key that is not equal to itself
/// is found, too.
pub(super) struct ByIdentity(pub(super) EntryId);

impl<K> Hash for StoredKey<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.id.hash);
    }
}

impl<Q: ?Sized> Hash for LookupKey<'_, Q> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Hash for ByIdentity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl<K> Equivalent<StoredKey<K>> for ByIdentity {
    fn equivalent(&self, held: &StoredKey<K>) -> bool {
        self.0 == held.id
    }
}

impl<K: Eq> PartialEq for StoredKey<K> {
    fn eq(&self, other: &Self) -> bool {
        self.id.hash == other.id.hash && self.key == other.key
    }
}

impl<K: Eq> Eq for StoredKey<K> {}

impl<K: Borrow<Q>, Q: Eq + ?Sized> Equivalent<StoredKey<K>> for LookupKey<'_, Q> {
    fn equivalent(&self, held: &StoredKey<K>) -> bool {
        self.hash == held.id.hash && self.key == held.key.borrow()
    }
}

/// Builds hashers that return a stored hash as it is.
#[derive(Clone, Copy)]
pub(super) struct PrehashedBuilder;

/// A hasher that returns the hash written to it.
pub(super) struct Prehashed(u64);

impl BuildHasher for PrehashedBuilder {
    type Hasher = Prehashed;

    fn build_hasher(&self) -> Prehashed {
        Prehashed(0)
    }
}

impl Hasher for Prehashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("a stored hash is written as one `u64`");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

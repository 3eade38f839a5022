//! [`Breakers`]: a bounded set of breakers, one for each host, tenant or shard.

mod builder;
mod key;
mod ring;

use core::{
    borrow::Borrow,
    fmt,
    hash::{BuildHasher, Hash},
    panic::{RefUnwindSafe, UnwindSafe},
};
use std::sync::Arc;

use foldhash::quality::RandomState;
use papaya::{Guard, HashMap};

use crate::Breaker;

pub use builder::Builder;
use builder::Factory;
#[cfg(feature = "metrics")]
pub(crate) use builder::is_building_overflow;
use key::{ByIdentity, LookupKey, PrehashedBuilder, StoredKey};
use ring::{EntryId, Reservation, Ring};

/// A bounded set of breakers by key: one for each host, tenant or shard. A breaker is created when
/// its key is first asked for.
///
/// ```
/// use cutout::{Breaker, Trip, keyed::Breakers};
/// use std::sync::LazyLock;
///
/// static HOSTS: LazyLock<Breakers<String>> = LazyLock::new(|| {
///     Breakers::builder()
///         .each(Breaker::builder().trip(Trip::consecutive(3)).name("hosts"))
///         .bound(1_000)
///         .listener(|host, transition| println!("{host:?} is {}", transition.to))
///         .build()
/// });
///
/// fn quote(host: &str) -> Result<u32, cutout::Error<std::num::ParseIntError>> {
///     HOSTS.get(host).call(|| "42".parse())
/// }
/// assert_eq!(quote("eu.example.com").unwrap(), 42);
/// ```
///
/// As a layer for tower (feature `tower`), where a function of the request returns the key:
///
#[cfg_attr(feature = "tower", doc = "```")]
#[cfg_attr(not(feature = "tower"), doc = "```ignore")]
/// use cutout::{keyed::Breakers, tower::BreakerLayer};
/// use http::Request;
/// use std::sync::Arc;
///
/// let hosts = Arc::new(Breakers::<String>::builder().bound(1_000).build());
/// let layer = BreakerLayer::by_request({
///     let hosts = hosts.clone();
///     move |request: &Request<()>| hosts.get(request.uri().host().unwrap_or_default())
/// });
/// # use tower::{Layer, ServiceExt, service_fn};
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// # let service = layer.layer(service_fn(async |_: Request<()>| Ok::<_, ()>(())));
/// # hosts.get("a.example.com").force_open();
/// # let request = |host| Request::get(format!("http://{host}.example.com/")).body(()).unwrap();
/// # assert!(service.clone().oneshot(request("a")).await.is_err());
/// # assert!(service.oneshot(request("b")).await.is_ok());
/// # });
/// ```
///
/// # What it costs
///
/// [`get`](Breakers::get) of a present key hashes it, finds it without a lock and without
/// allocating (a `&str` finds a `String`), and clones an [`Arc`]. The clone and its drop are two
/// atomic read-modify-writes, for which threads that use the same key at the same time contend. The
/// set holds no lock or guard during the call. A caller that makes many calls by one key may keep
/// the `Arc` between them, but not for ever: the set may evict its own. In a large set, a look-up
/// waits for at most two cache misses after that of the map's slot: the entry with the key, and the
/// `Arc`.
///
/// An insertion allocates the breaker and the entry. The table of the map has room for the bound, and
/// does not grow with the set. But each eviction uses up a free position of the table. When few are
/// left, one insertion allocates a fresh table, perhaps twice as large, and the following insertions
/// move some entries each. The bench `keyed` measures the mean and the longest insertion.
///
/// # The bound
///
/// The set never has more keys than its [bound](Builder::bound). At the bound a new key takes the
/// slot of an old one. An insertion scans at most 16 breakers, from where the previous scan ended,
/// so a flood of new keys has the same cost for each of them. The first of these among the scanned
/// breakers is evicted:
///
/// 1. A closed breaker that has counted no failure. It has nothing to lose.
/// 2. Of the closed breakers that have counted failures, the one with the fewest.
/// 3. An **overdue** breaker: open, but its open period ended as long ago as it lasted; or
///    half-open, but its probes' lease ended as long ago as it lasted. Either end is at least a
///    second ago, since clocks of different cores may differ by that. Infrequent callers of such a
///    key lose little: the breaker would admit each of their calls as a probe.
///
/// Among equals the oldest breaker is evicted: the one created first, not the one least recently
/// used. To track use, each call would have to write. (A slot that [`remove`](Breakers::remove)
/// freed keeps its position in the order.)
///
/// **Any other breaker keeps its slot.** A breaker within its open period or its probes' lease, or
/// soon after, is what the set is for. A breaker that an operator holds keeps its slot for ever. If
/// none of the scanned breakers may be evicted, the new key is not inserted. It gets the [overflow
/// breaker](Breakers::overflow), which all such keys share.
///
/// So at the bound:
///
/// * A closed breaker that has counted failures stays as long as each scan finds one with fewer. If
///   all 16 have the same count, it is evicted in its turn, and its failures are lost.
/// * Hosts that die and are not asked for again keep their slots for twice their open period. A
///   living host gets a breaker of its own if the bound is large enough: above the number of hosts
///   that die in that time plus the number in use.
/// * If only a few breakers may be evicted, a scan of 16 may miss them. The next new key scans the
///   next 16.
///
/// A key whose breaker was evicted is inserted again at its next call, with a fresh breaker. Choose
/// a bound above the number of keys in use. An evicted breaker lives on for callers that still hold
/// it, but their outcomes no longer affect the set. If a breaker trips at the very moment of its
/// eviction, the trip is lost.
///
/// [`retain`](Breakers::retain) removes the keys that a rule of the caller selects. Here, the
/// breakers that have waited for a probe for an hour:
///
/// ```
/// use cutout::{State, clock::Manual, keyed::Breakers};
/// use std::{sync::Arc, time::Duration};
///
/// const HOUR: Duration = Duration::from_hours(1);
///
/// let clock = Arc::new(Manual::new()); // in place of the real one, to show an hour pass
/// let hosts = Breakers::<String>::builder().shared_clock(clock.clone()).build();
/// hosts.get("nowhere.example.com").force_open_for(Duration::from_secs(5));
/// clock.advance(HOUR);
///
/// hosts.retain(|_host, breaker| {
///     let now = breaker.snapshot();
///     let waits_for_a_probe = now.stored_state == State::Open && now.state == State::HalfOpen;
///     !(waits_for_a_probe && now.since >= Some(HOUR))
/// });
/// assert!(hosts.is_empty());
/// ```
///
/// # A key's own code
///
/// `Hash`, `Eq`, `Clone` and `Drop` of a key run outside any lock, as does all other user code,
/// clocks included. A key that is not equal to itself, or whose hash changes, is not found again.
/// The bound holds for such keys, too. (With such keys, and with different keys that share a hash
/// of 64 bits, the set may exceed the bound by one key for each thread inside `get`. If they are
/// inserted at the same time at the bound, the later evicts the earlier.)
///
/// Keys are hashed by [foldhash](https://docs.rs/foldhash), with seeds that differ by process and
/// by set. A client that does not know the seeds cannot choose keys of one hash. foldhash does not
/// promise this for a client that measures the time of many look-ups. Look-ups of keys of one hash
/// are slow, since they are compared one by one. The bound limits them as it limits all keys.
///
/// A removed key, and the set's handle to its breaker, are dropped when no thread reads them any
/// more. That is usually at once, otherwise on the next thread that uses the set.
pub struct Breakers<K> {
    map: HashMap<StoredKey<K>, Arc<Breaker>, PrehashedBuilder>,
    hasher: RandomState,
    ring: Ring,
    factory: Factory<K>,
    overflow: Arc<Breaker>,
}

// If user code panics, `Reservation` gives the slot back. Breakers are unwind-safe.
impl<K> UnwindSafe for Breakers<K> {}
impl<K> RefUnwindSafe for Breakers<K> {}

impl<K: Hash + Eq> Breakers<K> {
    /// Returns the breaker of a key, and creates one if the key has none. Returns the overflow
    /// breaker if there is no slot for the key.
    ///
    /// Threads that ask for the same new key at once get the same breaker, at the bound too. There
    /// are three exceptions:
    ///
    /// * The key is removed, or evicted for another key, in between.
    /// * The earlier thread finds no slot and gets the overflow breaker, while the later thread
    ///   scans other breakers and finds a slot.
    /// * Two different keys share a hash of 64 bits, and evict each other.
    ///
    /// Each of the threads may create a breaker and evict an old one. One new breaker is kept, and
    /// the other slots stay free.
    pub fn get<Q>(&self, key: &Q) -> Arc<Breaker>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let lookup = self.lookup_key(key);
        match self.find_by(&lookup) {
            Some(breaker) => breaker,
            None => self.insert(&lookup),
        }
    }

    /// Returns the breaker of a key, if the key has one. Never creates a breaker.
    pub fn find<Q>(&self, key: &Q) -> Option<Arc<Breaker>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.find_by(&self.lookup_key(key))
    }

    fn find_by<Q>(&self, lookup: &LookupKey<'_, Q>) -> Option<Arc<Breaker>>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.map.pin().get(lookup).map(Arc::clone)
    }

    fn lookup_key<'a, Q: Hash + ?Sized>(&self, key: &'a Q) -> LookupKey<'a, Q> {
        let hash = self.hasher.hash_one(key);
        LookupKey { key, hash }
    }

    #[cold]
    fn insert<Q>(&self, lookup: &LookupKey<'_, Q>) -> Arc<Breaker>
    where
        K: Borrow<Q>,
        Q: Eq + ToOwned<Owned = K> + ?Sized,
    {
        let reservation = self.ring.reserve(lookup.hash);
        // Another thread may have inserted the key since: rule 6 of the ring.
        if let Some(breaker) = self.find_by(lookup) {
            return breaker;
        }
        match reservation {
            Some(reservation) => self.insert_into(lookup, reservation),
            None => self.overflow(),
        }
    }

    /// Inserts a key into a reserved slot. A panic gives the slot back.
    fn insert_into<Q>(
        &self,
        lookup: &LookupKey<'_, Q>,
        mut reservation: Reservation<'_>,
    ) -> Arc<Breaker>
    where
        Q: ToOwned<Owned = K> + ?Sized,
    {
        let key = lookup.key.to_owned();
        let breaker = Arc::new(self.factory.make(&key));
        let entry = reservation.entry(lookup.hash, Arc::clone(&breaker));
        let stored = StoredKey { id: entry.id, key };
        let guard = self.map.guard();
        if let Some(evicted) = reservation.evicted() {
            self.remove_entry(evicted.id, &guard);
            reservation.evicted_is_removed();
            guard.flush();
        }
        match self.map.try_insert(stored, breaker, &guard) {
            Ok(breaker) => {
                // Another entry has entered the slot. Its key has the same hash but differs, or a
                // key is not equal to itself, or that entry was already removed from the map.
                if !reservation.occupy(&entry)
                    && self.map.contains_key(&ByIdentity(entry.id), &guard)
                    && let Some(other) = reservation.displace(&entry)
                {
                    self.remove_entry(other.id, &guard);
                }
                Arc::clone(breaker)
            }
            // Another thread has inserted the key first.
            Err(occupied) => Arc::clone(occupied.current),
        }
    }

    /// Removes exactly this entry from the map. Returns true if it was there.
    fn remove_entry(&self, id: EntryId, guard: &impl Guard) -> bool {
        self.map.remove(&ByIdentity(id), guard).is_some()
    }

    /// Removes a key and returns its breaker, if the key had one. Calls in flight end on that
    /// breaker.
    ///
    /// The next [`get`](Breakers::get) of the key creates a fresh breaker.
    pub fn remove<Q>(&self, key: &Q) -> Option<Arc<Breaker>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let guard = self.map.guard();
        let (held, breaker) = self.map.remove_entry(&self.lookup_key(key), &guard)?;
        self.ring.vacate(held.id);
        guard.flush();
        Some(Arc::clone(breaker))
    }

    /// Removes all keys for which `keep` returns false. Keys that are inserted meanwhile may or may
    /// not be visited.
    pub fn retain(&self, mut keep: impl FnMut(&K, &Arc<Breaker>) -> bool) {
        let guard = self.map.guard();
        for (held, breaker) in self.map.iter(&guard) {
            if !keep(&held.key, breaker) && self.remove_entry(held.id, &guard) {
                self.ring.vacate(held.id);
            }
        }
        guard.flush();
    }

    /// Visits all keys and their breakers in no order, for example for a status page. Keys that are
    /// inserted or removed meanwhile may or may not be visited.
    ///
    /// ```
    /// # use cutout::keyed::Breakers;
    /// # let hosts = Breakers::<String>::builder().build();
    /// # hosts.get("eu.example.com");
    /// let mut page = Vec::new();
    /// hosts.for_each(|host, breaker| page.push((host.clone(), breaker.snapshot())));
    /// # assert_eq!((page.len(), page[0].0.as_str()), (1, "eu.example.com"));
    /// ```
    pub fn for_each(&self, mut show: impl FnMut(&K, &Arc<Breaker>)) {
        for (held, breaker) in &self.map.pin() {
            show(&held.key, breaker);
        }
    }

    /// Returns the number of keys. Exact while no key is inserted or removed.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Returns true if the set has no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K> Breakers<K> {
    /// Returns the largest number of keys that the set can have.
    #[must_use]
    pub fn bound(&self) -> usize {
        self.ring.bound()
    }

    /// Returns the breaker that new keys share while there is no slot for them.
    /// [`for_each`](Breakers::for_each) does not visit it.
    #[must_use]
    pub fn overflow(&self) -> Arc<Breaker> {
        Arc::clone(&self.overflow)
    }
}

impl<K> fmt::Debug for Breakers<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breakers")
            .field("bound", &self.bound())
            .field("overflow", &self.overflow)
            .finish_non_exhaustive()
    }
}

//! One breaker for each host, tenant or shard: [`Breakers`].

mod builder;
mod key;
mod ring;

use core::{
    borrow::Borrow,
    fmt,
    hash::{BuildHasher, Hash},
    panic::{RefUnwindSafe, UnwindSafe},
};
use std::{hash::RandomState, sync::Arc};

use papaya::{Guard, HashMap};

use crate::Breaker;

pub use builder::Builder;
use builder::Factory;
#[cfg(feature = "metrics")]
pub(crate) use builder::is_building_overflow;
use key::{ByIdentity, LookupKey, PrehashedBuilder, StoredKey};
use ring::{Entry, Reservation, Ring};

/// Breakers by key: one for each host, tenant or shard, made when it is first asked for.
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
/// As a layer for tower (feature `tower`), where a function of the request gives the key:
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
/// [`get`](Breakers::get) of a key that is there hashes it, finds it without a lock and without
/// allocating (a `&str` finds a `String`), and clones an [`Arc`]: two atomic read-modify-writes
/// with its drop, which threads that use the same key at the same time take turns at. Nothing of
/// the set is held while the call is made. Whoever makes many calls by one key may keep the `Arc`
/// through them, but not for ever: the set may drop its own.
///
/// # The bound
///
/// There are never more keys in the set than its [bound](Builder::bound). At the bound a new key
/// takes the slot of an old one. The breakers are looked at in turn, 16 for a new key at most, from
/// where the last look ended: so a flood of new keys costs the same for each of them. Of the
/// breakers looked at, the first of these goes:
///
/// 1. A closed one that has counted no failure. It has nothing to lose.
/// 2. Of the closed ones that have counted failures, the one with the fewest.
/// 3. One that is **overdue**: open, but its open period ended as long ago as it lasted; or
///    half-open, but its probes' lease ended as long ago as it lasted. Either way at least a second
///    ago, as clocks of different cores may differ by that. Callers that come more rarely lose
///    little: the breaker would let each of their calls through as a probe.
///
/// Among equals the oldest goes: made long ago, not unused for long. To know the latter, each call
/// would have to write. (A slot that [`remove`](Breakers::remove) freed has its turn where it is,
/// not at the end.)
///
/// **Any other breaker keeps its slot**: within its open period or its probes' lease, or soon
/// after, it is what the set is for; and one that an operator holds keeps its slot for ever. If
/// none of those looked at may go, the new key is not taken in and gets the [overflow
/// breaker](Breakers::overflow), which all such keys share.
///
/// So at the bound:
///
/// * A closed breaker that has counted failures stays as long as each look finds one with fewer.
///   Where all 16 have as many, it goes in its turn, and its failures are forgotten.
/// * Hosts that die and are not asked for again keep their slots for twice their open period. A
///   living host gets a breaker of its own if the bound is larger than the number of hosts that die
///   in that time and of those that are in use.
/// * A new key may miss the few breakers that may go among many that may not: it looks at 16. The
///   next new key looks at the next 16.
///
/// A key whose breaker was evicted comes back at its next call, with a fresh breaker. So choose a
/// bound above the number of keys in use. An evicted breaker lives on for those who still hold it,
/// but what becomes of their calls is counted where nobody looks; likewise, if it trips at the very
/// moment in which it is evicted, the trip is lost.
///
/// [`retain`](Breakers::retain) takes out what a rule of your own says, at a time of your own.
/// Here, those that wait for a probe for an hour:
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
/// `Hash`, `Eq`, `Clone` and `Drop` of a key run outside any lock, and so does everything else that
/// the set is given, clocks included. A key that is not equal to itself, or whose hash changes, is
/// not found again; the bound holds all the same. (Of such keys, and of different ones that have
/// one hash of 64 bits, there may be one too many for each thread inside `get`, until that returns.
/// Where such keys come at once, at the bound, the later evicts the earlier.)
///
/// A key that was removed, and the set's hold on its breaker, are dropped when no thread is looking
/// at them any more: most often at once, else by whichever thread uses the set next.
pub struct Breakers<K> {
    map: HashMap<StoredKey<K>, Arc<Breaker>, PrehashedBuilder>,
    hasher: RandomState,
    ring: Ring<K>,
    factory: Factory<K>,
    overflow: Arc<Breaker>,
}

// What a panic of user code interrupts gives its slot back (`Reservation`), and breakers are unwind-safe.
impl<K> UnwindSafe for Breakers<K> {}
impl<K> RefUnwindSafe for Breakers<K> {}

impl<K: Hash + Eq> Breakers<K> {
    /// The breaker of a key; a new one if the key has none; the overflow breaker if there is no
    /// slot for it.
    ///
    /// Threads that ask for the same new key at once get the same breaker, at the bound too. There
    /// are three exceptions. The key leaves the set in between, removed or evicted for another key.
    /// The earlier thread finds no slot and gets the overflow breaker, while the later thread looks
    /// at other breakers and finds one. Two different keys share a hash of 64 bits, and evict each
    /// other.
    ///
    /// Each of the threads may make a breaker and evict an old one for it. One is kept, and the
    /// other slots stay free.
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

    /// The breaker of a key, if it has one: for looking, as it makes none.
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
        // Another thread may have brought the key since: rule 6 of the ring.
        if let Some(breaker) = self.find_by(lookup) {
            return breaker;
        }
        match reservation {
            Some(reservation) => self.insert_into(lookup, reservation),
            None => self.overflow(),
        }
    }

    /// Brings a key in for which there is a slot. A panic gives the slot back.
    fn insert_into<Q>(
        &self,
        lookup: &LookupKey<'_, Q>,
        mut reservation: Reservation<'_, K>,
    ) -> Arc<Breaker>
    where
        Q: ToOwned<Owned = K> + ?Sized,
    {
        let key = lookup.key.to_owned();
        let breaker = Arc::new(self.factory.make(&key));
        let entry = Arc::new(Entry::new(
            key,
            lookup.hash,
            Arc::clone(&breaker),
            &reservation,
        ));
        let guard = self.map.guard();
        if let Some(evicted) = reservation.evicted() {
            self.remove_entry(evicted, &guard);
            reservation.evicted_is_removed();
            guard.flush();
        }
        match self
            .map
            .try_insert(StoredKey(Arc::clone(&entry)), breaker, &guard)
        {
            Ok(breaker) => {
                // Another one has entered only where this one is a stranger of the same hash, where
                // a key denies itself, or where the other has been removed already.
                if !reservation.enter(&entry)
                    && self.map.contains_key(&ByIdentity(&entry), &guard)
                    && let Some(other) = reservation.displace(&entry)
                {
                    self.remove_entry(&other, &guard);
                }
                Arc::clone(breaker)
            }
            // Another thread was faster.
            Err(occupied) => Arc::clone(occupied.current),
        }
    }

    /// Takes exactly this member out of the map, and says whether it was there.
    fn remove_entry(&self, entry: &Arc<Entry<K>>, guard: &impl Guard) -> bool {
        self.map.remove(&ByIdentity(entry), guard).is_some()
    }

    /// Takes a key out, and hands out its breaker if it had one. Calls under way end on that one.
    ///
    /// The next [`get`](Breakers::get) of the key makes a fresh breaker.
    pub fn remove<Q>(&self, key: &Q) -> Option<Arc<Breaker>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let guard = self.map.guard();
        let (held, breaker) = self.map.remove_entry(&self.lookup_key(key), &guard)?;
        self.ring.vacate(&held.0);
        guard.flush();
        Some(Arc::clone(breaker))
    }

    /// Takes out all keys for which this is false. Keys that come meanwhile may or may not be asked
    /// about.
    pub fn retain(&self, mut keep: impl FnMut(&K, &Arc<Breaker>) -> bool) {
        let guard = self.map.guard();
        for (held, breaker) in self.map.iter(&guard) {
            if !keep(&held.0.key, breaker) && self.remove_entry(&held.0, &guard) {
                self.ring.vacate(&held.0);
            }
        }
        guard.flush();
    }

    /// Shows all keys and their breakers, in no order: for a status page. Keys that come or go
    /// meanwhile may or may not be shown.
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
            show(&held.0.key, breaker);
        }
    }

    /// How many keys there are. Exact while no key comes or goes.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K> Breakers<K> {
    /// The most keys there can be.
    #[must_use]
    pub fn bound(&self) -> usize {
        self.ring.bound()
    }

    /// The breaker that new keys share while there is no slot for them. Not among those of
    /// [`for_each`](Breakers::for_each).
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

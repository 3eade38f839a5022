//! Contenders that hold a breaker for each key: `cutout::keyed`, and maps under a lock.
//!
//! A look-up alone finds the breaker and drops its handle. With *called* in its name, the contender
//! also makes a healthy call.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    hash::Hash,
    hint::black_box,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use cutout::{Breaker, keyed::Breakers};

use crate::{cli, contender::Contender, dependency::dependency};

/// Contender whose look-ups the others are compared with.
pub const SET: &str = "cutout";
/// A map under a reader-writer lock, as people write it.
pub const MAP: &str = "RwLock<HashMap>";
/// A map under a mutex.
pub const MUTEX: &str = "Mutex<HashMap>";
/// A map and a queue of its keys under a mutex, with a bound.
pub const BOUNDED: &str = "Mutex<(HashMap, VecDeque)>";
/// Suffix of contenders that call the breaker that they find.
pub const CALLED: &str = ", called";

/// The contenders of a look-up.
pub const LOOKUPS: [&str; 6] = [
    SET,
    MAP,
    MUTEX,
    "cutout, called",
    "RwLock<HashMap>, called",
    "Mutex<HashMap>, called",
];

/// Numbers of keys. A test takes small ones.
#[must_use]
pub fn sizes() -> &'static [usize] {
    if cli::to_measure() {
        &[10, 1_000, 100_000, 1_000_000]
    } else {
        &[10, 1_000]
    }
}

/// A key by its number.
pub trait Key: Clone + Eq + Hash + Send + Sync + 'static {
    /// Name of the kind of key.
    const NAME: &str;

    /// Creates a key.
    fn numbered(number: u64) -> Self;
}

impl Key for u64 {
    const NAME: &str = "u64";

    fn numbered(number: u64) -> Self {
        number
    }
}

impl Key for String {
    const NAME: &str = "String";

    fn numbered(number: u64) -> Self {
        format!("host-{number}.example.com")
    }
}

/// Name of the group that looks keys up.
#[must_use]
pub fn lookups_group(kind: &str, size: usize) -> String {
    format!("keyed, {kind}, {size} keys")
}

/// Name of the group that inserts keys at the bound.
#[must_use]
pub fn inserts_group(size: usize) -> String {
    format!("keyed, insert at a bound of {size}")
}

/// A map of breakers, as people write it.
type Map<K> = HashMap<K, Arc<Breaker>>;

/// The maps of a group, with the same keys.
struct Maps<K> {
    /// All keys in random order.
    keys: Vec<K>,
    /// Position of the next look-up, so that a sample does not repeat the keys of the last.
    next: AtomicUsize,
    set: Breakers<K>,
    map: RwLock<Map<K>>,
    mutex: Mutex<Map<K>>,
}

impl<K: Key> Maps<K> {
    fn build(size: usize) -> Self {
        let numbered = |numbers: &[u64]| -> Vec<K> {
            numbers.iter().map(|number| K::numbered(*number)).collect()
        };
        let mut numbers: Vec<_> = (0..).take(size).collect();
        let in_order = numbered(&numbers);
        let set = full_set(&in_order);
        let map = || {
            let entries = in_order.iter().map(|key| (key.clone(), new_breaker()));
            entries.collect::<Map<K>>()
        };
        let (map, mutex) = (RwLock::new(map()), Mutex::new(map()));
        fastrand::Rng::with_seed(1).shuffle(&mut numbers);
        Self {
            keys: numbered(&numbers),
            next: AtomicUsize::new(0),
            set,
            map,
            mutex,
        }
    }

    fn find_in_map(&self, key: &K) -> Option<Arc<Breaker>> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        map.get(key).cloned()
    }

    fn find_in_mutex(&self, key: &K) -> Option<Arc<Breaker>> {
        let map = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        map.get(key).cloned()
    }

    /// Runs `find` for a number of keys, and returns how often it succeeded.
    #[inline]
    fn run(&self, lookups: u64, find: impl Fn(&K) -> bool) -> u64 {
        let lookups = usize::try_from(lookups).unwrap_or(usize::MAX);
        let start = self.next.fetch_add(lookups, Ordering::Relaxed) % self.keys.len();
        let (before, after) = self.keys.split_at(start);
        let keys = after.iter().chain(before).cycle().take(lookups);
        keys.map(|key| u64::from(find(black_box(key)))).sum()
    }
}

/// Creates a breaker as a map stores it.
fn new_breaker() -> Arc<Breaker> {
    Arc::new(Breaker::new())
}

/// Builds a set that has these keys, and no slot for another.
///
/// # Panics
///
/// Panics if the set has not all of the keys.
fn full_set<K: Key>(keys: &[K]) -> Breakers<K> {
    let bound = u32::try_from(keys.len()).unwrap_or(u32::MAX);
    let set = Breakers::builder().bound(bound).build();
    for key in keys {
        set.get(key);
    }
    assert_eq!(set.len(), keys.len(), "the set is full");
    let misses = keys.iter().filter(|key| set.find(*key).is_none());
    assert_eq!(misses.count(), 0, "the set has all keys");
    set
}

/// Look-ups of present keys in random order, alone or with a healthy call of the breaker.
///
/// Returns a function, since the maps are built once for all numbers of threads.
pub fn lookups<K: Key>(size: usize) -> impl Fn() -> Vec<Contender> {
    let maps = Arc::new(Maps::<K>::build(size));
    move || {
        let mut all = Vec::new();
        add(&mut all, &maps, SET, |maps, key| Some(maps.set.get(key)));
        add(&mut all, &maps, MAP, Maps::find_in_map);
        add(&mut all, &maps, MUTEX, Maps::find_in_mutex);
        all
    }
}

/// Adds a contender that finds a breaker, and one that calls it, too.
fn add<K: Key>(
    all: &mut Vec<Contender>,
    maps: &Arc<Maps<K>>,
    name: &str,
    find: impl Fn(&Maps<K>, &K) -> Option<Arc<Breaker>> + Copy + Send + Sync + 'static,
) {
    let of = Arc::clone(maps);
    let run = move |lookups| {
        of.run(lookups, |key| {
            black_box(find(&of, key).as_deref()).is_some()
        })
    };
    all.push(Contender::running(name, 1, run));
    let of = Arc::clone(maps);
    let run = move |lookups| {
        of.run(lookups, |key| {
            let called = find(&of, key).map(|breaker| breaker.call(|| dependency::<0, 1>(0)));
            black_box(called).is_some_and(|result| result.is_ok())
        })
    };
    all.push(Contender::running(&format!("{name}{CALLED}"), 1, run));
}

/// A map with a bound: a new key takes the slot of the oldest.
struct Bounded {
    bound: usize,
    inner: Mutex<(Map<u64>, VecDeque<u64>)>,
}

impl Bounded {
    fn get(&self, key: u64) -> Arc<Breaker> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (map, queue) = &mut *inner;
        match map.entry(key) {
            Entry::Occupied(entry) => return Arc::clone(entry.get()),
            Entry::Vacant(entry) => drop(entry.insert(new_breaker())),
        }
        queue.push_back(key);
        if queue.len() > self.bound
            && let Some(oldest) = queue.pop_front()
        {
            map.remove(&oldest);
        }
        Arc::clone(&map[&key])
    }
}

/// Insertions of new keys at the bound, each of which evicts an old key.
///
/// # Panics
///
/// Panics if the first new key does not take the slot of the first old key.
#[must_use]
pub fn inserts(size: usize) -> Vec<Contender> {
    let first = u64::try_from(size).unwrap_or(u64::MAX);
    let keys: Vec<_> = (0..first).collect();
    let set = full_set(&keys);
    let bounded = Bounded {
        bound: size,
        inner: Mutex::default(),
    };
    for key in keys {
        bounded.get(key);
    }
    set.get(&first);
    let has = [0, first].map(|key| set.find(&key).is_some());
    assert_eq!((has, set.len()), ([false, true], size), "one is evicted");
    vec![
        inserting(SET, first + 1, move |key| drop(black_box(set.get(&key)))),
        inserting(BOUNDED, first, move |key| {
            drop(black_box(bounded.get(key)));
        }),
    ]
}

/// A contender that inserts keys, from the first new one.
fn inserting(name: &str, first: u64, insert: impl Fn(u64) + Send + Sync + 'static) -> Contender {
    let next = AtomicU64::new(first);
    Contender::calling(name, move |_| {
        insert(next.fetch_add(1, Ordering::Relaxed));
        true
    })
}

/// The longest and the mean time of a single insertion.
#[derive(Clone, Copy, Debug)]
pub struct Inserted {
    /// The longest.
    pub worst: Duration,
    /// The mean.
    pub mean: Duration,
}

/// Times a number of insertions one by one.
fn timed(inserts: usize, mut insert: impl FnMut(u64)) -> Inserted {
    let (mut worst, mut all) = (Duration::ZERO, Duration::ZERO);
    for key in (0..).take(inserts) {
        let start = Instant::now();
        insert(key);
        let time = start.elapsed();
        worst = worst.max(time);
        all += time;
    }
    let inserts = u32::try_from(inserts).unwrap_or(u32::MAX);
    Inserted {
        worst,
        mean: all / inserts,
    }
}

/// Insertions while a table grows from empty to a number of keys, then as many at the bound.
///
/// Of several rounds, the round with the shortest worst case counts: other activity of the machine
/// lengthens a worst case, and nothing shortens one.
#[must_use]
pub fn growth(size: usize, rounds: usize) -> Vec<(&'static str, Inserted)> {
    let least = |measure: &dyn Fn() -> [Inserted; 2]| {
        let mut least = measure();
        for _ in 1..rounds {
            for (least, next) in least.iter_mut().zip(measure()) {
                least.worst = least.worst.min(next.worst);
                least.mean = least.mean.min(next.mean);
            }
        }
        least
    };
    let bound = u32::try_from(size).unwrap_or(u32::MAX);
    let [set, at_bound] = least(&|| {
        let set = Breakers::<u64>::builder().bound(bound).build();
        let grown = timed(size, |key| drop(black_box(set.get(&key))));
        let first = u64::from(bound);
        [
            grown,
            timed(size, |key| drop(black_box(set.get(&(first + key))))),
        ]
    });
    let [map, bounded] = least(&|| {
        let map = RwLock::new(HashMap::new());
        let grown = timed(size, |key| {
            let mut map = map.write().unwrap_or_else(PoisonError::into_inner);
            map.insert(key, new_breaker());
        });
        drop(map);
        let bounded = Bounded {
            bound: size,
            inner: Mutex::default(),
        };
        let first = u64::from(bound);
        (0..first).for_each(|key| drop(bounded.get(key)));
        [grown, timed(size, |key| drop(bounded.get(first + key)))]
    });
    vec![
        ("cutout, the set grows", set),
        ("cutout, at the bound", at_bound),
        ("RwLock<HashMap>, the map grows", map),
        ("Mutex<(HashMap, VecDeque)>, at the bound", bounded),
    ]
}

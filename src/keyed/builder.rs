//! Builds a set of breakers.

use core::{cell::Cell, fmt, hash::Hash};
use std::{hash::RandomState, sync::Arc};

use papaya::HashMap;

use super::{Breakers, key::PrehashedBuilder, ring::Ring};
use crate::{Breaker, Listener, Policy, PolicyError, Transition, builder, clock::Clock};

/// The bound unless another is set.
const DEFAULT_BOUND: u32 = 10_000;
/// Where a slip of the keyboard is more likely than a wish: the breakers would take some 11 GB.
const LARGEST_BOUND: u32 = 1 << 24;

/// Builds [`Breakers`]: from [`Breakers::builder`].
#[must_use = "a builder builds nothing until `build` or `try_build`"]
pub struct Builder<K> {
    bound: u32,
    factory: Factory<K>,
}

/// Makes the breaker of a key.
pub(super) struct Factory<K> {
    template: builder::Builder,
    each: Each<K>,
    clock: Option<Arc<dyn Clock>>,
    listeners: Vec<PerKey<K, Arc<dyn Listener>>>,
}

/// The source of breakers.
enum Each<K> {
    Template,
    Function(PerKey<K, Breaker>),
    Policy {
        policy: PerKey<K, Policy>,
        refused: OnRefused<K>,
    },
}

/// Makes something for a key, or with `None` for the overflow breaker.
type PerKey<K, T> = Box<dyn Fn(Option<&K>) -> T + Send + Sync>;
type OnRefused<K> = Box<dyn Fn(&K, &PolicyError) + Send + Sync>;

impl<K> Factory<K> {
    pub(super) fn make(&self, key: &K) -> Breaker {
        let breaker = match &self.each {
            Each::Template => self.template.build(),
            Each::Function(make) => {
                let _scope = FactoryScope::enter(false);
                make(Some(key))
            }
            Each::Policy { policy, refused } => {
                let built = self.template.policy(policy(Some(key))).try_build();
                built.unwrap_or_else(|error| {
                    refused(key, &error);
                    self.template.build()
                })
            }
        };
        self.finish(breaker, Some(key))
    }

    /// Makes the overflow breaker. Verifies the template, if there is no function in its place.
    fn overflow(&self) -> Result<Breaker, PolicyError> {
        let breaker = match &self.each {
            Each::Template => self.template.try_build()?,
            Each::Function(make) => {
                let _scope = FactoryScope::enter(true);
                make(None)
            }
            Each::Policy { policy, .. } => {
                self.template.try_build()?;
                self.template.policy(policy(None)).try_build()?
            }
        };
        Ok(self.finish(breaker, None))
    }

    fn finish(&self, mut breaker: Breaker, key: Option<&K>) -> Breaker {
        if let Some(clock) = &self.clock {
            breaker = breaker.with_shared_clock(Arc::clone(clock));
        }
        for listener in &self.listeners {
            breaker = breaker.with_shared_listener(listener(key));
        }
        breaker
    }
}

thread_local!(static BUILDING_OVERFLOW: Cell<bool> = const { Cell::new(false) });

/// Whether this thread makes an overflow breaker, so that what is given to that breaker can tell.
#[cfg(feature = "metrics")]
pub(crate) fn is_building_overflow() -> bool {
    BUILDING_OVERFLOW.get()
}

/// The time in which a function makes a breaker: ends with it, also by a panic.
struct FactoryScope {
    before: bool,
}

impl FactoryScope {
    fn enter(overflow: bool) -> Self {
        Self {
            before: BUILDING_OVERFLOW.replace(overflow),
        }
    }
}

impl Drop for FactoryScope {
    fn drop(&mut self) {
        BUILDING_OVERFLOW.set(self.before);
    }
}

impl<K: Hash + Eq> Breakers<K> {
    /// Starts to build a set of breakers, each with the default [`Policy`].
    pub fn builder() -> Builder<K> {
        Builder {
            bound: DEFAULT_BOUND,
            factory: Factory {
                template: Breaker::builder(),
                each: Each::Template,
                clock: None,
                listeners: Vec::new(),
            },
        }
    }
}

impl<K> fmt::Debug for Builder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}

impl<K: Hash + Eq> Builder<K> {
    /// Builds each breaker, the overflow breaker too, from a copy of this: one policy, one name,
    /// for all. Replaces [`Builder::each_by`]. Beside [`Builder::each_policy`], all but the policy
    /// is taken from this.
    pub fn each(mut self, template: builder::Builder) -> Self {
        self.factory.template = template;
        if let Each::Function(_) = self.factory.each {
            self.factory.each = Each::Template;
        }
        self
    }

    /// Builds each breaker with the policy that a function says for its key, and the overflow
    /// breaker with the one it says for `None`. All else, such as the name, is that of
    /// [`Builder::each`]. Replaces [`Builder::each_by`].
    ///
    /// For policies that come from outside: a policy that is out of its bounds panics in no
    /// request. If it is the overflow breaker's, [`try_build`](Builder::try_build) returns the
    /// error. If it is a key's, `refused` is called with it, and the key gets the policy of
    /// [`Builder::each`], which is checked when the set is built. So it has a breaker of its own,
    /// if not the one that was meant. Each time that a breaker is made the function is asked again:
    /// a policy that is mended later holds after [`Breakers::remove`].
    ///
    /// Both functions are called outside any lock, by the call that needs the breaker.
    ///
    /// ```
    /// use cutout::{Breaker, Policy, Trip, keyed::Breakers};
    /// use std::collections::HashMap;
    ///
    /// let file = HashMap::from([("ada", 3), ("bob", 0)]); // a run of no failures: out of bounds
    /// let tenants = Breakers::<String>::builder()
    ///     .each(Breaker::builder().name("tenants").trip(Trip::consecutive(5)))
    ///     .each_policy(
    ///         move |tenant| {
    ///             let run = tenant.and_then(|tenant| file.get(tenant.as_str()));
    ///             Policy::new().trip(Trip::consecutive(run.copied().unwrap_or(10)))
    ///         },
    ///         |tenant, error| eprintln!("the policy of {tenant} is not used: {error}"),
    ///     )
    ///     .build();
    /// assert_eq!(tenants.get("ada").policy().trip, Trip::consecutive(3));
    /// assert_eq!(tenants.get("bob").policy().trip, Trip::consecutive(5)); // that of `each`
    /// assert_eq!(tenants.get("cyd").policy().trip, Trip::consecutive(10));
    /// ```
    pub fn each_policy(
        mut self,
        policy: impl Fn(Option<&K>) -> Policy + Send + Sync + 'static,
        refused: impl Fn(&K, &PolicyError) + Send + Sync + 'static,
    ) -> Self {
        self.factory.each = Each::Policy {
            policy: Box::new(policy),
            refused: Box::new(refused),
        };
        self
    }

    /// Makes each breaker as a function says for its key, and the overflow breaker as it says for
    /// `None`. Replaces [`Builder::each`] and [`Builder::each_policy`].
    ///
    /// The function is called outside any lock, by the call that needs the breaker; where threads
    /// race for a new key, by each of them. A panic in it is that of the call: so do not `build()`
    /// a policy that comes from outside here, but use [`Builder::each_policy`].
    ///
    /// What the function adds to a breaker it adds to the overflow breaker too, unless it looks at
    /// the key.
    #[cfg_attr(
        feature = "metrics",
        doc = "[`Metrics`](crate::metrics::Metrics) counts that one under a name of its own."
    )]
    ///
    /// ```
    /// use cutout::{Breaker, Trip, keyed::Breakers};
    ///
    /// const STRICT: cutout::Builder = Breaker::builder().trip(Trip::consecutive(2));
    ///
    /// let tenants = Breakers::<u32>::builder()
    ///     .each_by(|tenant| match tenant {
    ///         Some(0..100) => Breaker::new(),
    ///         _ => STRICT.build(),
    ///     })
    ///     .build();
    /// assert_eq!(tenants.get(&700).policy().trip, Trip::consecutive(2));
    /// ```
    pub fn each_by(mut self, make: impl Fn(Option<&K>) -> Breaker + Send + Sync + 'static) -> Self {
        self.factory.each = Each::Function(Box::new(make));
        self
    }

    /// The most keys that there can be, 1 to 16 777 216. Default: 10 000.
    ///
    /// Memory is taken as keys come. What a key takes, with a breaker, a slot and an entry of the
    /// map (a `String` of 50 bytes, on a 64-bit machine):
    ///
    /// | | bytes | from |
    /// |---|---|---|
    /// | `consecutive`, `of_last` up to 45 calls | 650 | |
    /// | `of_last` more than 45 calls, `failures.within` | 1 020 + 8 *f* | the first failure |
    /// | `percent.within` | 1 400 + 128 *c* | the first call |
    /// | a [listener](Builder::listener) in addition | 150 + a clone of the key | |
    /// | its queue in addition | 750 | the first transition |
    ///
    /// *f* is how many failures it takes to trip: 10 for `failures(10)`, 500 for
    /// `percent(50).of_last(1000)`, which then takes 5 000 bytes. *c* is the number of cores, up to
    /// the next power of two, at most 64: 1 650 bytes on 2 cores, 3 450 on 16.
    ///
    /// `cargo test --all-features --test keyed_memory -- --nocapture` measures it.
    pub fn bound(mut self, most: u32) -> Self {
        self.bound = most;
        self
    }

    /// Adds a listener to every breaker, which is notified with the key: `None` for the overflow
    /// breaker. Those that a breaker has by itself are notified before it.
    ///
    /// Coming and going of keys are no transitions.
    pub fn listener(
        mut self,
        listener: impl Fn(Option<&K>, &Transition) + Send + Sync + 'static,
    ) -> Self
    where
        K: Clone + Send + Sync + 'static,
    {
        let listener = Arc::new(listener);
        self.factory.listeners.push(Box::new(move |key| {
            let (key, listener) = (key.cloned(), Arc::clone(&listener));
            Arc::new(move |transition: &Transition| listener(key.as_ref(), transition))
        }));
        self
    }

    /// Takes the time of all breakers from this clock.
    pub fn shared_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.factory.clock = Some(clock);
        self
    }

    /// Builds the set.
    ///
    /// # Panics
    ///
    /// Where [`Builder::try_build`] returns an error.
    #[must_use]
    pub fn build(self) -> Breakers<K> {
        match self.try_build() {
            Ok(breakers) => breakers,
            Err(error) => panic!("{error}"),
        }
    }

    /// Builds the set.
    ///
    /// # Errors
    ///
    /// If the bound, the policy of [`Builder::each`] (unless [`Builder::each_by`] replaced it) or
    /// that of [`Builder::each_policy`] for `None` is out of its bounds, naming field, value and
    /// bound.
    ///
    /// ```
    /// use cutout::keyed::Breakers;
    ///
    /// let error = Breakers::<String>::builder().bound(0).try_build().unwrap_err();
    /// assert_eq!(error.to_string(), "bound must be 1 to 16777216, got 0");
    /// ```
    pub fn try_build(self) -> Result<Breakers<K>, PolicyError> {
        let Self { bound, factory } = self;
        if bound == 0 || bound > LARGEST_BOUND {
            return Err(PolicyError::number("bound", 1, LARGEST_BOUND, bound));
        }
        Ok(Breakers {
            map: HashMap::with_hasher(PrehashedBuilder),
            hasher: RandomState::new(),
            ring: Ring::new(bound as usize),
            overflow: Arc::new(factory.overflow()?),
            factory,
        })
    }
}

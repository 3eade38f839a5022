//! [`Builder`] of a set of breakers, and the factory that it configures.

use core::{cell::Cell, fmt, hash::Hash};
use std::sync::Arc;

use foldhash::quality::RandomState;
use papaya::HashMap;

use super::{Breakers, key::PrehashedBuilder, ring::Ring};
use crate::{Breaker, Listener, Policy, PolicyError, Transition, builder, clock::Clock};

/// The default bound.
const DEFAULT_BOUND: u32 = 10_000;
/// Upper bound that catches typing errors: this many breakers would need about 11 GB.
const LARGEST_BOUND: u32 = 1 << 24;

/// Builder of [`Breakers`], returned by [`Breakers::builder`].
#[must_use = "a builder builds nothing until `build` or `try_build`"]
pub struct Builder<K> {
    bound: u32,
    factory: Factory<K>,
}

/// Creates the breaker of a key.
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

/// Creates a value for a key, or for the overflow breaker if the key is `None`.
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

    /// Creates the overflow breaker. Validates the template, unless a function replaces it.
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

/// Returns true while this thread creates an overflow breaker. [`Metrics::on`] names it apart.
///
/// [`Metrics::on`]: crate::metrics::Metrics::on
#[cfg(feature = "metrics")]
pub(crate) fn is_building_overflow() -> bool {
    BUILDING_OVERFLOW.get()
}

/// Guard of a call of the user's function. It restores the flag on drop, also after a panic.
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
    /// Returns a builder of a set of breakers, each with the default [`Policy`].
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
    /// Builds each breaker and the overflow breaker from a copy of this template: one policy and
    /// one name for all. Replaces [`Builder::each_by`]. With [`Builder::each_policy`], all but the
    /// policy is taken from the template.
    pub fn each(mut self, template: builder::Builder) -> Self {
        self.factory.template = template;
        if let Each::Function(_) = self.factory.each {
            self.factory.each = Each::Template;
        }
        self
    }

    /// Builds each breaker with the policy that a function returns for its key, and the overflow
    /// breaker with the policy for `None`. All other settings, such as the name, are those of
    /// [`Builder::each`]. Replaces [`Builder::each_by`].
    ///
    /// Made for policies that come from outside: a policy out of bounds causes no panic in a
    /// request. For the overflow breaker, [`try_build`](Builder::try_build) returns the error. For
    /// a key, `refused` is called with the error, and the key gets the policy of [`Builder::each`],
    /// which is validated when the set is built. The key then has a breaker of its own, with a
    /// different policy. The function is called again each time a breaker is created. A policy that
    /// is corrected later is used after [`Breakers::remove`].
    ///
    /// Both functions are called outside any lock, on the thread of the call that needs the
    /// breaker.
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

    /// Creates each breaker by a function of its key, and the overflow breaker by the same function
    /// of `None`. Replaces [`Builder::each`] and [`Builder::each_policy`].
    ///
    /// The function is called outside any lock, on the thread of the call that needs the breaker.
    /// If threads race for a new key, each of them calls the function. A panic in the function
    /// reaches the caller. So use [`Builder::each_policy`] for a policy that comes from outside.
    ///
    /// A listener that the function adds to each breaker is also added to the overflow breaker,
    /// unless the function inspects the key.
    #[cfg_attr(
        feature = "metrics",
        doc = "[`Metrics`](crate::metrics::Metrics) counts the overflow breaker under a separate name."
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

    /// Sets the largest number of keys, 1 to 16 777 216. Default: 10 000.
    ///
    /// [`Builder::build`] reserves address space for the table of the map and for the slots, so
    /// that no insertion waits for their growth: at most 64 bytes for each key of the bound. Of
    /// these, at most 4 take memory before keys are inserted. All other memory is allocated as keys
    /// are inserted. Bytes per key, for the breaker, the slot and the entry of
    /// the map (a `String` of 50 bytes, on a 64-bit machine):
    ///
    /// | | bytes | from |
    /// |---|---|---|
    /// | `consecutive`, `of_last` up to 45 calls | 650 | |
    /// | `of_last` more than 45 calls, `failures.within` | 1 020 + 8 *f* | the first failure |
    /// | `percent.within` | 1 400 + 128 *c* | the first call |
    /// | a [listener](Builder::listener) in addition | 150 + a clone of the key | |
    /// | its queue in addition | 750 | the first transition |
    ///
    /// *f* is the number of failures that trips: 10 for `failures(10)`, 500 for
    /// `percent(50).of_last(1000)`, which then takes 5 000 bytes. *c* is the number of cores,
    /// rounded up to a power of two, at most 64: 1 650 bytes on 2 cores, 3 450 on 16.
    ///
    /// `cargo test --all-features --test keyed_memory -- --nocapture` measures these numbers.
    pub fn bound(mut self, most: u32) -> Self {
        self.bound = most;
        self
    }

    /// Adds a listener to every breaker. The listener is called with the key, or with `None` for
    /// the overflow breaker. A breaker's own listeners are called first.
    ///
    /// The insertion or removal of a key is not a transition.
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

    /// Sets the clock of all breakers.
    pub fn shared_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.factory.clock = Some(clock);
        self
    }

    /// Builds the set.
    ///
    /// # Panics
    ///
    /// Panics if [`Builder::try_build`] returns an error.
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
    /// Returns an error that names field, value and bound if one of these is out of bounds:
    ///
    /// * the bound of the set;
    /// * the policy of [`Builder::each`], unless [`Builder::each_by`] replaced it;
    /// * the policy of [`Builder::each_policy`] for `None`.
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
            // Room for the bound: the map grows at no insertion, and a look-up probes few slots.
            map: HashMap::with_capacity_and_hasher(bound as usize, PrehashedBuilder),
            hasher: RandomState::default(),
            ring: Ring::new(bound as usize),
            overflow: Arc::new(factory.overflow()?),
            factory,
        })
    }
}

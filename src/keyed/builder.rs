//! Builds a set of breakers.

use core::{fmt, hash::Hash};
use std::{hash::RandomState, sync::Arc};

use papaya::HashMap;

use super::{Breakers, entry::AsHashed, ring::Ring};
use crate::{Breaker, Listener, PolicyError, Transition, builder, clock::Clock};

/// The bound unless another is set.
const DEFAULT_BOUND: u32 = 10_000;
/// Where a slip of the keyboard is more likely than a wish: the breakers would take some 8 GB.
const LARGEST_BOUND: u32 = 1 << 24;

/// Builds [`Breakers`]: from [`Breakers::builder`].
#[must_use = "a builder builds nothing until `build` or `try_build`"]
pub struct Builder<K> {
    bound: u32,
    /// What is wrong with the template, if breakers are built from one.
    error: Option<PolicyError>,
    maker: Maker<K>,
}

/// Makes the breaker of a key, or with `None` the overflow breaker.
pub(super) struct Maker<K> {
    each: BreakerOf<K>,
    clock: Option<Arc<dyn Clock>>,
    listeners: Vec<ListenerOf<K>>,
}

type BreakerOf<K> = Box<dyn Fn(Option<&K>) -> Breaker + Send + Sync>;
/// Makes the listener of the breaker of a key.
type ListenerOf<K> = Box<dyn Fn(Option<&K>) -> Arc<dyn Listener> + Send + Sync>;

impl<K> Maker<K> {
    pub(super) fn make(&self, key: Option<&K>) -> Breaker {
        let mut breaker = (self.each)(key);
        if let Some(clock) = &self.clock {
            breaker = breaker.with_shared_clock(Arc::clone(clock));
        }
        for listener in &self.listeners {
            breaker = breaker.with_shared_listener(listener(key));
        }
        breaker
    }
}

impl<K: Hash + Eq> Breakers<K> {
    /// Starts to build a set of breakers, each with the default [`Policy`](crate::Policy).
    pub fn builder() -> Builder<K> {
        Builder {
            bound: DEFAULT_BOUND,
            error: None,
            maker: Maker {
                each: Box::new(|_| Breaker::new()),
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
    /// Builds each breaker, the overflow breaker too, from a copy of this: one policy, one name, for all.
    /// Replaces [`Builder::each_by`].
    pub fn each(mut self, template: builder::Builder) -> Self {
        self.error = template.try_build().err();
        self.maker.each = Box::new(move |_| template.build());
        self
    }

    /// Makes each breaker as this says for its key, and the overflow breaker as it says for `None`. Replaces
    /// [`Builder::each`].
    ///
    /// It is asked outside any lock, by the call that needs the breaker; where threads race for a new key, by
    /// each of them. A panic in it is that of the call.
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
        self.error = None;
        self.maker.each = Box::new(make);
        self
    }

    /// The most keys that there can be, 1 to 16 777 216. Default: 10 000.
    ///
    /// Memory is taken as keys come. What a key takes, with a breaker, a slot and an entry of the map (a `String` of 50 bytes, on a 64-bit machine):
    ///
    /// | trip | bytes | of them, from |
    /// |---|---|---|
    /// | `consecutive`, `of_last` up to 45 calls, the default | 650 | |
    /// | `of_last` more than 45 calls, `failures.within` | 1 000, and 8 for each failure that it takes to trip: 1 100 for `failures(10)`, 5 000 for `percent(50).of_last(1000)` | the first failure: until then as above |
    /// | `percent.within` | 1 400, and 128 for each core: 1 650 on 2, 3 450 on 16. Cores are counted up to a power of two, at most 64 | the first call |
    /// | a [listener](Builder::listener) more | 150 and a clone of the key | |
    /// | the listeners' queue | 750 | the first transition that there is a listener of |
    ///
    /// `cargo test --all-features --test keyed_memory -- --nocapture` measures it.
    pub fn bound(mut self, most: u32) -> Self {
        self.bound = most;
        self
    }

    /// Adds a listener to every breaker, which is told of which key: `None` for the overflow breaker. Those that a
    /// breaker has by itself are told before it.
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
        self.maker.listeners.push(Box::new(move |key| {
            let (key, listener) = (key.cloned(), Arc::clone(&listener));
            Arc::new(move |transition: &Transition| listener(key.as_ref(), transition))
        }));
        self
    }

    /// Takes the time of all breakers from this clock.
    pub fn shared_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.maker.clock = Some(clock);
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
    /// If the bound or the policy of [`Builder::each`] is out of its bounds, naming field, value and bound.
    ///
    /// ```
    /// use cutout::keyed::Breakers;
    ///
    /// let error = Breakers::<String>::builder().bound(0).try_build().unwrap_err();
    /// assert_eq!(error.to_string(), "bound must be 1 to 16777216, got 0");
    /// ```
    pub fn try_build(self) -> Result<Breakers<K>, PolicyError> {
        let Self {
            bound,
            error,
            maker,
        } = self;
        if bound == 0 || bound > LARGEST_BOUND {
            return Err(PolicyError::number("bound", 1, LARGEST_BOUND, bound));
        }
        if let Some(error) = error {
            return Err(error);
        }
        Ok(Breakers {
            map: HashMap::with_hasher(AsHashed),
            hasher: RandomState::new(),
            ring: Ring::new(bound as usize),
            overflow: Arc::new(maker.make(None)),
            maker,
        })
    }
}

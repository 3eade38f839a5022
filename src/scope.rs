//! The breakers whose calls the current thread is inside of.
//!
//! A call that goes through the same breaker twice, as of two layers, would take two slots of its
//! probes and count twice. The outer level enters a [`Scope`] around each piece of user code that it
//! runs. A layer asks [`is_inside`] and passes the call on; any other call asks [`is_within_probe`]
//! once it is refused. No allocation, no atomics.
//!
//! 1. A scope never outlives a stack frame: it is entered around a `call` or one poll, not held over
//!    a suspension. Scopes of a thread therefore end in the reverse order of their begin.
//! 2. A breaker that an open scope names is borrowed by the frame that entered it, so that no other
//!    breaker has its address meanwhile.
//! 3. Beyond [`DEEPEST`] levels a breaker is not remembered, and a call inside it counts by itself.

use core::{cell::Cell, marker::PhantomData};

use crate::{Breaker, machine::word::Period};

/// The levels that a thread remembers.
const DEEPEST: usize = 8;

struct Entered {
    /// Addresses; those from `depth` on are left over.
    breakers: [Cell<usize>; DEEPEST],
    /// The periods in which their calls were let through.
    periods: [Cell<Option<Period>>; DEEPEST],
    /// The scopes that are open, also those beyond [`DEEPEST`].
    depth: Cell<usize>,
}

thread_local! {
    static ENTERED: Entered = const {
        Entered {
            breakers: [const { Cell::new(0) }; DEEPEST],
            periods: [const { Cell::new(None) }; DEEPEST],
            depth: Cell::new(0),
        }
    };
}

/// The current thread is inside a call of a breaker until this is dropped.
#[must_use = "the scope ends when this is dropped"]
pub(crate) struct Scope {
    /// The scopes that were open before this one.
    depth: usize,
    /// Neither `Send` nor `Sync`: it ends on the thread that entered it.
    of_this_thread: PhantomData<*const ()>,
}

/// Enters a call of a breaker that was let through in this period; `None` if none was.
#[inline]
pub(crate) fn enter(breaker: &Breaker, period: Option<Period>) -> Scope {
    let depth = ENTERED.with(|entered| {
        let depth = entered.depth.get();
        if let Some(level) = entered.breakers.get(depth) {
            level.set(address(breaker));
            entered.periods[depth].set(period);
        }
        entered.depth.set(depth + 1);
        depth
    });
    Scope {
        depth,
        of_this_thread: PhantomData,
    }
}

/// Whether the current thread is inside a call of no breaker.
#[cfg(feature = "tower")]
#[inline]
pub(crate) fn is_outermost() -> bool {
    ENTERED.with(|entered| entered.depth.get() == 0)
}

/// Whether the current thread is inside a call of this breaker that was let through in this period: as a
/// probe, if the period is half-open.
#[cold]
pub(crate) fn is_within_probe(breaker: &Breaker, period: Period) -> bool {
    ENTERED.with(|entered| {
        let levels = entered.breakers.iter().zip(&entered.periods);
        levels
            .take(entered.depth.get())
            .any(|(level, of)| level.get() == address(breaker) && of.get() == Some(period))
    })
}

/// Whether the current thread is inside a call of this breaker.
#[cfg(any(feature = "tower", test))]
#[inline]
pub(crate) fn is_inside(breaker: &Breaker) -> bool {
    ENTERED.with(|entered| {
        let depth = entered.depth.get();
        depth != 0 && is_among(&entered.breakers, depth, address(breaker))
    })
}

#[cfg(any(feature = "tower", test))]
#[cold]
fn is_among(breakers: &[Cell<usize>; DEEPEST], depth: usize, breaker: usize) -> bool {
    breakers
        .iter()
        .take(depth)
        .any(|level| level.get() == breaker)
}

fn address(breaker: &Breaker) -> usize {
    core::ptr::from_ref(breaker).addr()
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        ENTERED.with(|entered| entered.depth.set(self.depth));
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        thread,
    };

    use super::*;
    use crate::machine::word::Word;

    #[test]
    fn a_thread_is_inside_until_the_scope_is_dropped() {
        let [one, other] = [const { Breaker::new() }; 2];
        assert!(!is_inside(&one));
        let outer = enter(&one, None);
        assert!(is_inside(&one) && !is_inside(&other));
        let inner = enter(&other, None);
        assert!(is_inside(&one) && is_inside(&other));
        drop(inner);
        assert!(is_inside(&one) && !is_inside(&other));
        drop(outer);
        assert!(!is_inside(&one));
    }

    #[test]
    fn a_breaker_that_is_entered_twice_is_left_twice() {
        let breaker = Breaker::new();
        let outer = enter(&breaker, None);
        drop(enter(&breaker, None));
        assert!(is_inside(&breaker));
        drop(outer);
        assert!(!is_inside(&breaker));
    }

    #[test]
    fn a_scope_is_of_its_breaker_and_its_period() {
        let [one, other] = [const { Breaker::new() }; 2];
        let closed = Word::new(0);
        let (this, next) = (closed.period(), closed.begin_closed(0).period());
        let _scope = enter(&one, Some(this));
        let _unknown = enter(&other, None);
        assert!(is_within_probe(&one, this));
        assert!(!is_within_probe(&one, next) && !is_within_probe(&other, this));
    }

    #[test]
    fn a_panic_leaves_the_scope() {
        let breaker = Breaker::new();
        let panics = AssertUnwindSafe(|| {
            let _scope = enter(&breaker, None);
            panic!("asked to");
        });
        catch_unwind(panics).unwrap_err();
        assert!(!is_inside(&breaker));
    }

    #[test]
    fn another_thread_is_not_inside() {
        let breaker = Breaker::new();
        let _scope = enter(&breaker, None);
        thread::scope(|scope| {
            scope.spawn(|| assert!(!is_inside(&breaker)));
        });
    }

    #[test]
    fn a_level_too_deep_is_not_remembered_and_harms_none_that_is() {
        let breakers = [const { Breaker::new() }; DEEPEST + 2];
        let mut scopes: Vec<_> = breakers
            .iter()
            .map(|breaker| enter(breaker, None))
            .collect();
        for (level, breaker) in breakers.iter().enumerate() {
            assert_eq!(is_inside(breaker), level < DEEPEST, "{level}");
        }
        while scopes.pop().is_some() {}
        assert!(!breakers.iter().any(is_inside));
        let _scope = enter(&breakers[DEEPEST], None);
        assert!(is_inside(&breakers[DEEPEST]));
    }
}

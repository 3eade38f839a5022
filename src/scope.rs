//! Record of the breakers whose calls contain the running code of this thread.
//!
//! A call that passes the same breaker twice, as through two layers, would take two probe slots and
//! count twice. The outer level enters a [`Scope`] around each piece of user code that it runs. A
//! layer checks [`is_inside`] and passes the call on. Any other call checks [`is_within_probe`]
//! once it is refused. No allocation, no atomics.
//!
//! 1. A scope never outlives a stack frame: it is entered around a `call` or one poll, and never
//!    held over a suspension. So the scopes of a thread end in the reverse order of their entry.
//! 2. The frame that entered a scope borrows its breaker. No other breaker has the same address
//!    while the scope is open.
//! 3. Beyond [`MAX_DEPTH`] levels a breaker is not recorded, and a call inside it counts by itself.

use core::{cell::Cell, marker::PhantomData};

use crate::{Breaker, machine::word::Period};

/// The number of levels that a thread records.
const MAX_DEPTH: usize = 8;

struct Entered {
    /// Addresses. Those from `depth` on are stale.
    breakers: [Cell<usize>; MAX_DEPTH],
    /// The periods in which their calls were admitted.
    periods: [Cell<Option<Period>>; MAX_DEPTH],
    /// The number of open scopes, including those beyond [`MAX_DEPTH`].
    depth: Cell<usize>,
}

thread_local! {
    static ENTERED: Entered = const {
        Entered {
            breakers: [const { Cell::new(0) }; MAX_DEPTH],
            periods: [const { Cell::new(None) }; MAX_DEPTH],
            depth: Cell::new(0),
        }
    };
}

/// Guard: the current thread is inside a call of a breaker until the guard is dropped.
#[must_use = "the scope ends when the guard is dropped"]
pub(crate) struct Scope {
    /// The number of scopes that were open before this one.
    depth: usize,
    /// Neither `Send` nor `Sync`: a scope ends on the thread that entered it.
    of_this_thread: PhantomData<*const ()>,
}

/// Enters a call of a breaker that was admitted in this period; `None` if the call is not
/// recorded.
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

/// Returns true if the current thread is inside no call of any breaker.
#[cfg(feature = "tower")]
#[inline]
pub(crate) fn is_outermost() -> bool {
    ENTERED.with(|entered| entered.depth.get() == 0)
}

/// Returns true if the current thread is inside a call of this breaker that was admitted in this
/// period. Such a call is a probe if the period is half-open.
#[cold]
pub(crate) fn is_within_probe(breaker: &Breaker, period: Period) -> bool {
    ENTERED.with(|entered| {
        let levels = entered.breakers.iter().zip(&entered.periods);
        levels
            .take(entered.depth.get())
            .any(|(level, of)| level.get() == address(breaker) && of.get() == Some(period))
    })
}

/// Returns true if the current thread is inside a call of this breaker.
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
fn is_among(breakers: &[Cell<usize>; MAX_DEPTH], depth: usize, breaker: usize) -> bool {
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
    fn a_breaker_entered_twice_is_exited_twice() {
        let breaker = Breaker::new();
        let outer = enter(&breaker, None);
        drop(enter(&breaker, None));
        assert!(is_inside(&breaker));
        drop(outer);
        assert!(!is_inside(&breaker));
    }

    #[test]
    fn a_scope_belongs_to_its_breaker_and_its_period() {
        let [one, other] = [const { Breaker::new() }; 2];
        let closed = Word::new(0);
        let (this, next) = (closed.period(), closed.begin_closed(0).period());
        let _scope = enter(&one, Some(this));
        let _unknown = enter(&other, None);
        assert!(is_within_probe(&one, this));
        assert!(!is_within_probe(&one, next) && !is_within_probe(&other, this));
    }

    #[test]
    fn a_panic_exits_the_scope() {
        let breaker = Breaker::new();
        let panics = AssertUnwindSafe(|| {
            let _scope = enter(&breaker, None);
            panic!("intended");
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
    fn a_level_beyond_the_maximum_is_not_recorded_and_the_others_are() {
        let breakers = [const { Breaker::new() }; MAX_DEPTH + 2];
        let mut scopes: Vec<_> = breakers
            .iter()
            .map(|breaker| enter(breaker, None))
            .collect();
        for (level, breaker) in breakers.iter().enumerate() {
            assert_eq!(is_inside(breaker), level < MAX_DEPTH, "{level}");
        }
        while scopes.pop().is_some() {}
        assert!(!breakers.iter().any(is_inside));
        let _scope = enter(&breakers[MAX_DEPTH], None);
        assert!(is_inside(&breakers[MAX_DEPTH]));
    }
}

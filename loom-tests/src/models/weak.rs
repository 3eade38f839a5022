//! Weak CASes that fail although the word is unchanged: neither a result nor an effect differs
//! (I22).
//!
//! Models of the other files, run again for each CAS that can be made to fail. Their outcomes and
//! assertions stay the same.

use crate::{
    harness::Model,
    models::{lease, probe, transition_queue, trip},
    subject::Subject,
    sync::Spurious,
};

const fn of(actor: usize, call: usize) -> Spurious {
    Spurious { actor, call }
}

/// The first weak CAS of the first actor, of the second, of both.
const FIRST: &[&[Spurious]] = &[&[of(0, 1)], &[of(1, 1)], &[of(0, 1), of(1, 1)]];

/// The same, and the second CAS, which an actor makes if the first one failed.
const EACH: &[&[Spurious]] = &[
    FIRST[0],
    FIRST[1],
    FIRST[2],
    &[of(0, 2)],
    &[of(1, 2)],
    &[of(0, 1), of(0, 2)],
    &[of(1, 1), of(1, 2)],
];

/// I22.
pub(crate) fn a_weak_cas_that_fails_changes_no_trip<S: Subject>() -> Model {
    trip::failures_that_trip_together_make_one_transition::<S>().with_spurious_failures(EACH)
}

/// I22.
pub(crate) fn a_weak_cas_that_fails_changes_no_admission<S: Subject>() -> Model {
    probe::two_callers_get_two_slots::<S>().with_spurious_failures(EACH)
}

/// I22.
pub(crate) fn a_weak_cas_that_fails_changes_no_expiry<S: Subject>() -> Model {
    lease::a_late_success_and_an_expiry_exclude_each_other::<S>().with_spurious_failures(FIRST)
}

/// I22.
pub(crate) fn a_weak_cas_that_fails_changes_no_delivery<S: Subject>() -> Model {
    transition_queue::transitions_are_delivered_in_order::<S>().with_spurious_failures(EACH)
}

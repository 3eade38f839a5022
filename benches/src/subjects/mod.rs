//! Breakers under measurement, each used as in its documentation, with the policy closest to
//! cutout's.

mod bare;
mod breaker_machines;
pub mod by_hand;
mod circuitbreaker_rs;
mod cutout;
mod failsafe;
mod recloser;
mod seatbelt;
mod tower_resilience;

use std::time::Duration;

use crate::dependency::Failed;

pub use self::{
    bare::{Bare, NoBreaker},
    breaker_machines::{BreakerMachines, builder as breaker_machines},
    by_hand::{ByHand, ByHandInARow},
    circuitbreaker_rs::CircuitbreakerRs,
    cutout::{CutoutDefault, CutoutInARow, CutoutOfLast, FastClock, builder as cutout},
    failsafe::{FailsafeInARow, FailsafeOverTime},
    recloser::{RecloserOfLast, builder as recloser},
    seatbelt::around as in_seatbelt,
    tower_resilience::layer as tower_resilience,
};

/// Open period that outlasts the benches.
pub const LONG: Duration = Duration::from_hours(1);

/// A breaker that makes calls.
pub trait Calls: Send + Sync + 'static {
    /// Makes a call and returns true if it was admitted. The dependency is `'static` because
    /// breaker-machines requires it.
    fn call(&self, dependency: impl FnOnce() -> Result<u64, Failed> + 'static) -> bool;
}

/// A breaker that makes async calls.
pub trait CallsAsync: Send + Sync + 'static {
    /// Makes a call and returns true if it was admitted.
    fn call_async(
        &self,
        dependency: impl Future<Output = Result<u64, Failed>> + Send + 'static,
    ) -> impl Future<Output = bool>;
}

/// Purpose for which a breaker is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Built {
    /// The policy that the subject is named after. A tripped breaker stays open for [`LONG`].
    AsNamed,
    /// A policy that does not trip although nearly all calls fail.
    Tolerant,
    /// A policy that few calls trip, repeatedly. The breaker stays open for this duration; with a
    /// duration of zero, the open period ends before the next call.
    Cycling(Duration),
}

/// The calls that trip a closed breaker and recover it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// The number of failures that trip a breaker which has completed a cycle.
    pub failures: u64,
    /// The number of successes that recover a breaker after its open period.
    pub successes: u64,
}

/// A breaker with a policy, as measured by all benches.
pub trait Subject {
    /// Type of the breaker.
    type Breaker: Calls;
    /// Name in the results.
    const NAME: &'static str;
    /// Policy, and the policy of cutout that it corresponds to.
    const POLICY: &'static str;
    /// Calls that trip and recover the breaker, if a few calls do.
    const CYCLE: Option<Cycle>;
    /// True if a policy exists that does not trip although nearly all calls fail.
    const CAN_TOLERATE_FAILURES: bool = true;

    /// Builds the breaker.
    fn build(built: Built) -> Self::Breaker;
}

/// An operation on all subjects.
pub trait Visitor {
    /// Runs the operation on a subject.
    fn visit<S: Subject>(&mut self);
}

/// All subjects, the bare call first.
pub fn visit_all(visitor: &mut impl Visitor) {
    visitor.visit::<NoBreaker>();
    visitor.visit::<CutoutDefault>();
    visitor.visit::<CutoutInARow>();
    visitor.visit::<CutoutOfLast>();
    visitor.visit::<ByHandInARow>();
    visitor.visit::<FailsafeInARow>();
    visitor.visit::<FailsafeOverTime>();
    visitor.visit::<RecloserOfLast>();
    visitor.visit::<CircuitbreakerRs>();
    visitor.visit::<BreakerMachines>();
}

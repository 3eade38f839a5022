//! Who makes the calls: each breaker as its own documentation uses it, with the policy nearest to ours.

mod bare;
mod breaker_machines;
mod by_hand;
mod circuitbreaker_rs;
mod cutout;
mod failsafe;
mod recloser;
mod tower_resilience;

use std::time::Duration;

use crate::dependency::Failed;

pub use self::{
    bare::{Bare, NoBreaker},
    breaker_machines::{BreakerMachines, builder as breaker_machines},
    by_hand::{ByHand, ByHandInARow},
    circuitbreaker_rs::CircuitbreakerRs,
    cutout::{CutoutDefault, CutoutInARow, CutoutOfLast, Hasty, builder as cutout},
    failsafe::{FailsafeInARow, FailsafeOverTime},
    recloser::{RecloserOfLast, builder as recloser},
    tower_resilience::layer as tower_resilience,
};

/// An open breaker stays open for longer than the benches run.
pub const LONG: Duration = Duration::from_hours(1);

/// A breaker that makes calls.
pub trait Calls: Send + Sync + 'static {
    /// Makes a call, and says whether it was let through. (The dependency is `'static` because breaker-machines
    /// wants it so.)
    fn call(&self, dependency: impl FnOnce() -> Result<u64, Failed> + 'static) -> bool;
}

/// A breaker that makes calls that are futures.
pub trait CallsAsync: Send + Sync + 'static {
    /// Makes a call, and says whether it was let through.
    fn call_async(
        &self,
        dependency: impl Future<Output = Result<u64, Failed>> + Send + 'static,
    ) -> impl Future<Output = bool>;
}

/// What a breaker is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Built {
    /// The policy that the subject is named for. Once tripped it stays open for [`LONG`].
    AsNamed,
    /// To put up with nearly all calls failing.
    Patient,
    /// To be tripped by the fewest calls, as often as can be. It stays open for this long; if that is zero, it is
    /// over by the next call.
    Cycling(Duration),
}

/// The calls that trip a closed breaker and recover it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// So many failures trip it, once it has been through a cycle.
    pub failures: u64,
    /// So many successes recover it, when it has been open for long enough.
    pub successes: u64,
}

/// A breaker with a policy, which all the benches measure.
pub trait Subject {
    /// Its type.
    type Breaker: Calls;
    /// What the results call it.
    const NAME: &'static str;
    /// What it counts, and what for it was chosen.
    const POLICY: &'static str;
    /// What trips and recovers it, if a few calls do.
    const CYCLE: Option<Cycle>;
    /// Whether it can put up with nearly all calls failing.
    const CAN_BE_PATIENT: bool = true;

    /// Builds it.
    fn build(built: Built) -> Self::Breaker;
}

/// What a bench does with each subject.
pub trait Visitor {
    /// Does it.
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

//! The bare call, without a breaker: the baseline of all added costs.

use std::hint::black_box;

use super::{Built, Calls, CallsAsync, Cycle, Subject};
use crate::dependency::Failed;

/// Admits all calls and counts nothing.
#[derive(Clone, Copy, Debug)]
pub struct Bare;

impl Calls for Bare {
    #[inline]
    fn call(&self, dependency: impl FnOnce() -> Result<u64, Failed> + 'static) -> bool {
        let _ = black_box(dependency());
        true
    }
}

impl CallsAsync for Bare {
    #[inline]
    async fn call_async(
        &self,
        dependency: impl Future<Output = Result<u64, Failed>> + Send + 'static,
    ) -> bool {
        let _ = black_box(dependency.await);
        true
    }
}

/// The call itself.
#[derive(Debug)]
pub enum NoBreaker {}

impl Subject for NoBreaker {
    type Breaker = Bare;
    const NAME: &'static str = "bare call";
    const POLICY: &'static str = "no breaker";
    const CYCLE: Option<Cycle> = None;

    fn build(_: Built) -> Bare {
        Bare
    }
}

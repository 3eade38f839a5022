//! Length of an open period.

use core::time::Duration;

/// Length of an open period: `base × factor^reopens`, at most `cap`, plus jitter.
///
/// Jitter is added after the cap, so an open period is never shorter than the interval. The jitter
/// is a hash of the clock, the generation and the breaker's address. Breakers that trip together
/// therefore do not probe together.
///
/// ```
/// use cutout::Backoff;
/// use std::time::Duration;
///
/// // 1 s, 2 s, 4 s, ... 30 s, each up to a quarter longer.
/// let cap = Duration::from_secs(30);
/// let backoff = Backoff::exponential(Duration::from_secs(1), 2, cap).jitter(25);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// The interval when the breaker trips: 10 ms to 30 days.
    pub base: Duration,
    /// The factor by which each reopen multiplies the interval: 1 to 100.
    pub factor: u32,
    /// The longest interval before jitter: `base` to 30 days.
    pub cap: Duration,
    /// The longest jitter, in percent of the interval: 0 to 100.
    pub jitter: u32,
    /// Replaces the breaker's address in the hash, if set.
    pub seed: Option<u64>,
}

impl Backoff {
    /// An interval that grows by `factor` with each reopen, from `base` to `cap`. Recovery resets
    /// the interval to `base`.
    #[must_use]
    pub const fn exponential(base: Duration, factor: u32, cap: Duration) -> Self {
        Self {
            base,
            factor,
            cap,
            jitter: 0,
            seed: None,
        }
    }

    /// The same interval for every open period.
    #[must_use]
    pub const fn constant(interval: Duration) -> Self {
        Self::exponential(interval, 1, interval)
    }

    /// Adds up to `percent` of the interval to each open period.
    #[must_use]
    pub const fn jitter(mut self, percent: u32) -> Self {
        self.jitter = percent;
        self
    }

    /// Makes the jitter reproducible, for tests: runs with equal clock readings draw equal jitter.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}

//! How long an open period lasts.

use core::time::Duration;

/// How long a breaker stays open: `base × factor^reopens`, at most `cap`, plus jitter.
///
/// Jitter is added after the cap, so an open period is never shorter than the interval; it is a hash of
/// the clock, the generation and the breaker's address, so that breakers which trip together do not
/// probe together.
///
/// ```
/// use cutout::Backoff;
/// use std::time::Duration;
///
/// // 1 s, 2 s, 4 s, ... 30 s, each up to a quarter longer.
/// let backoff = Backoff::exponential(Duration::from_secs(1), 2, Duration::from_secs(30)).jitter(25);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// The interval when the breaker trips: 10 ms to 30 days.
    pub base: Duration,
    /// What the interval is multiplied by with each reopen: 1 to 100.
    pub factor: u32,
    /// The longest interval before jitter: `base` to 30 days.
    pub cap: Duration,
    /// The most that is added, in percent of the interval: 0 to 100.
    pub jitter: u32,
    /// Takes the place of the breaker's address in the jitter.
    pub seed: Option<u64>,
}

impl Backoff {
    /// An interval that grows by `factor` with each reopen, from `base` to `cap`. It starts over on
    /// recovery.
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

    /// The same interval each time.
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

    /// Makes the jitter the same in every run whose clock reads the same: for tests.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}

//! Trip rules.

use core::time::Duration;

/// Trip rule: a run of failures, a rolling window, or whichever of the two is reached first.
///
/// The breaker evaluates the rule when it records a failure, with `>=`, in integer arithmetic.
///
/// | traffic | trip | why |
/// |---|---|---|
/// | not sure | the default, `consecutive(5).or(failures(10).of_last(20))` | a total outage trips on the fifth call, a failure rate of 50 % within twenty |
/// | occasional | [`Trip::consecutive`] | needs no volume; success never writes |
/// | steady, must detect partial outages | `Trip::percent(50).of_last(n)` | judges a full window, at any call rate |
/// | steady, tolerates few failures | `Trip::failures(k).of_last(n)` | trips at the k-th failure, without waiting for a full window |
/// | a proxy, or intermittent | `Trip::failures(k).within(T)` | a success never writes and never reads the clock |
/// | heavy, judged by failure rate, old calls must expire | `Trip::percent(p).min_calls(m).within(T)` | forgets by time, not by calls; each success writes, to its shard's own line |
///
/// | trip | storage | exact | a healthy success | a failure |
/// |---|---|---|---|---|
/// | `consecutive(n)` | the word | yes | no write, from the first call | 1 CAS, and the clock if it trips |
/// | `..of_last(n)`, n up to 45 | the word | yes | no write once the last n are successes | 1 CAS, and the clock if it trips |
/// | `..of_last(n)`, n up to 4096 | external ring of failures: 256 bytes, and 8 for each failure that trips | yes | no write once the last n are successes | clock, 2 CAS |
/// | `failures(k).within(T)` | external ring of k failure times: 256 bytes, and 8 for each | yes, in the order recorded | no write, no clock (with `consecutive(c)` the first success after a failure writes) | clock, 2 CAS |
/// | `percent(p)..within(T)` | ten external time buckets: 384 bytes, and 128 for each shard of successes | to one bucket, T/10, and up to 7 or 31 successes a shard (see below) | 1 CAS on its shard; the clock for the first 64 of a shard in a bucket, then for one in eight, and after 512 for one in 32 | clock, 1 CAS, a sum over the shards |
///
/// *External* windows are stored outside the word. Rings are allocated at the first failure, time
/// buckets at the first call that ends. A thread that arrives during this one-time allocation
/// blocks until it is done. The number of shards is the available parallelism, rounded up to a
/// power of two, at most 64.
///
/// Listeners and snapshots report the failures of an external window only up to the number that
/// trips. For `failures(k).within(T)`, the reported number of calls is the number of those
/// failures. When two failures are recorded concurrently, one thread may finish recording the
/// other's failure. That failure is reported as [`Applied`](crate::Recorded::Applied) even if it
/// trips the breaker.
///
/// In time buckets, a success that does not read the clock counts in the newest bucket that any
/// thread has read. A failure may therefore miss successes of a shard that then counted nothing for
/// T: up to seven if the shard counted 64 in its last bucket, and up to 31 if it counted 512. The
/// missed successes are fewer than 11 % of that count, and the breaker may trip early by that
/// margin.
///
/// If the clocks of two cores differ, a time window is longer or shorter by that difference: see
/// [`Clock`](crate::clock::Clock).
///
/// The next table shows how often a call writes to the word with `of_last(20)`, so that other cores
/// must reload its cache line. A success writes nothing iff the last 20 calls were successes.
///
/// | error rate | calls that write |
/// |---|---|
/// | 0 | none |
/// | 0.1 % | 1 in 50 |
/// | 1 % | 1 in 5 |
/// | 10 % | 9 in 10 |
///
/// For an error rate `e`, the fraction is `1 - (1 - e)^21`: a call writes if it fails or if one of
/// the 20 before it failed. For `consecutive(n)` alone the fraction is about `2e`: the failure and
/// the first success after it. For a long window the fraction is large: with `of_last(1000)` at
/// 0.1 %, two calls in three write.
///
/// ```
/// use cutout::Trip;
///
/// let either = Trip::consecutive(5).or(Trip::percent(50).min_calls(10).of_last(40));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trip {
    /// The number of failures in a row that trips.
    pub consecutive: Option<u32>,
    /// The rolling window that trips, with its threshold.
    pub window: Option<Window>,
    /// The text of the error for a combination of two runs or of two windows, if there is one.
    pub(super) conflict: Option<&'static str>,
}

/// A rolling window and its threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Window {
    /// The failures that trip the breaker.
    pub threshold: Threshold,
    /// The calls that the window covers.
    pub span: Span,
}

/// Threshold of a rolling window, by number or by rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Threshold {
    /// This number of failures trips.
    Failures(u32),
    /// This failure rate trips, once the window covers enough calls.
    Percent {
        /// `failures × 100 >= percent × calls` trips.
        percent: u32,
        /// The smallest number of calls in the window that is judged, the failing call included.
        min_calls: u32,
    },
}

/// The calls that a rolling window covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Span {
    /// This number of the most recent calls.
    OfLast(u32),
    /// The calls that ended within this time.
    Within(Duration),
}

/// Default `min_calls` of a window over time.
const MIN_CALLS_WITHIN: u32 = 20;

impl Trip {
    /// Trips at the `n`-th failure in a row: 1 to 65 535, or 1 to 45 if combined with a window of
    /// up to 45 calls.
    #[must_use]
    pub const fn consecutive(n: u32) -> Self {
        Self {
            consecutive: Some(n),
            window: None,
            conflict: None,
        }
    }

    /// Trips at the `k`-th failure in a window: complete it with [`Failures::of_last`] or
    /// [`Failures::within`].
    pub const fn failures(k: u32) -> Failures {
        Failures(k)
    }

    /// Trips at this failure rate in a window: complete it with [`Percent::of_last`] or
    /// [`Percent::within`].
    pub const fn percent(percent: u32) -> Percent {
        Percent {
            percent,
            min_calls: None,
        }
    }

    /// Trips by whichever rule is reached first. One of the two must be [`Trip::consecutive`] and
    /// the other a window, in either order. Building a breaker refuses all other combinations.
    #[must_use]
    pub const fn or(mut self, other: Self) -> Self {
        if other.consecutive.is_some() {
            if self.consecutive.is_some() {
                self.conflict = Some("consecutive twice");
            }
            self.consecutive = other.consecutive;
        }
        if other.window.is_some() {
            if self.window.is_some() {
                self.conflict = Some("two windows");
            }
            self.window = other.window;
        }
        if other.conflict.is_some() {
            self.conflict = other.conflict;
        }
        self
    }

    pub(super) const fn window(threshold: Threshold, span: Span) -> Self {
        Self {
            consecutive: None,
            window: Some(Window { threshold, span }),
            conflict: None,
        }
    }
}

/// A number of failures, to be completed with a window.
#[derive(Clone, Copy, Debug)]
#[must_use = "a count of failures is a trip only with a window: `.of_last(n)` or `.within(time)`"]
pub struct Failures(u32);

impl Failures {
    /// Among the last `n` calls: 1 to 4096.
    #[must_use]
    pub const fn of_last(self, n: u32) -> Trip {
        Trip::window(Threshold::Failures(self.0), Span::OfLast(n))
    }

    /// Within this time: 10 ms to 365 days. A failure of exactly this age no longer counts.
    #[must_use]
    pub const fn within(self, time: Duration) -> Trip {
        Trip::window(Threshold::Failures(self.0), Span::Within(time))
    }
}

/// A failure rate, to be completed with a window.
#[derive(Clone, Copy, Debug)]
#[must_use = "a failure rate is a trip only with a window: `.of_last(n)` or `.within(time)`"]
pub struct Percent {
    percent: u32,
    min_calls: Option<u32>,
}

impl Percent {
    /// Sets the smallest number of calls in the window that is judged. Default: n for `of_last(n)`,
    /// 20 for `within`.
    pub const fn min_calls(mut self, calls: u32) -> Self {
        self.min_calls = Some(calls);
        self
    }

    /// Of the last `n` calls: 1 to 4096.
    #[must_use]
    pub const fn of_last(self, n: u32) -> Trip {
        Trip::window(self.threshold(n), Span::OfLast(n))
    }

    /// Of the calls within this time, to a tenth of it: 100 ms to 1 day.
    #[must_use]
    pub const fn within(self, time: Duration) -> Trip {
        Trip::window(self.threshold(MIN_CALLS_WITHIN), Span::Within(time))
    }

    const fn threshold(self, default: u32) -> Threshold {
        Threshold::Percent {
            percent: self.percent,
            min_calls: match self.min_calls {
                Some(calls) => calls,
                None => default,
            },
        }
    }
}

//! When a breaker trips.

use core::time::Duration;

/// When a breaker trips: a run of failures, a rolling window, or whichever comes first.
///
/// A trip is decided when a failure is recorded, by `>=`, in integers.
///
/// | traffic | trip | why |
/// |---|---|---|
/// | not sure | the default, `consecutive(5).or(failures(10).of_last(20))` | a total outage trips on the fifth call, half an outage within twenty |
/// | a call now and then | [`Trip::consecutive`] | needs no volume; success never writes |
/// | steady, must see partial outages | `Trip::percent(50).of_last(n)` | decides on a full window, whatever the rate of calls |
/// | steady, few failures are too many | `Trip::failures(k).of_last(n)` | trips at the k-th, need not wait for a full window |
/// | a proxy; traffic that comes and goes | `Trip::failures(k).within(T)` | a success never writes and never reads the clock |
/// | heavy, the share of failures counts, old calls must not | `Trip::percent(p).min_calls(m).within(T)` | forgets by time, not by calls; costs each success a write, to a line of its own |
///
/// | trip | where it lives | exact | a healthy success | a failure |
/// |---|---|---|---|---|
/// | `consecutive(n)` | the word | yes | no write, from the first call | clock, 1 CAS |
/// | `..of_last(n)`, n up to 45 | the word | yes | no write once the last n are successes | clock, 1 CAS |
/// | `..of_last(n)`, n up to 4096 | a ring of marks beside the word: 256 bytes, and 8 for each failure that trips | yes | no write once the last n are successes | clock, 2 CAS |
/// | `failures(k).within(T)` | a ring of k times beside the word: 256 bytes, and 8 for each | yes, in the order recorded | never a write, never a clock (beside `consecutive(c)` the first success after a failure writes) | clock, 2 CAS |
/// | `percent(p)..within(T)` | ten time buckets beside the word: 384 bytes, and 128 for each shard of successes (as many as threads can run at once, rounded up to a power of two, up to 64) | to one bucket, T/10, and up to 7 successes a shard (see below) | 1 CAS on its shard; the clock for the first 64 of a shard in a bucket, then for one in eight | clock, 1 CAS, a sum over the shards |
///
/// What lives beside the word is allocated at the first failure, the time buckets at the first call that
/// ends. Whoever comes while another thread is allocating waits for it, that once. What listeners and snapshots
/// are told of such a window counts failures up to as many as trip, and of `failures(k).within(T)` the calls are
/// those failures alone. A failure that another thread finishes recording (the two came at once) is reported as applied
/// even if it trips.
///
/// In time buckets a success that does not read the clock counts in the newest bucket that anybody has read.
/// So a failure may miss up to seven successes of a shard, if that had counted 64 in its last bucket and then
/// nothing for T: fewer than 11 % of those, and the breaker may trip that much too early.
///
/// Where clocks of cores differ, a window of time is longer or shorter by as much: see [`Clock`](crate::clock::Clock).
///
/// How often a call writes to the word, so that other cores must fetch it anew, with `of_last(20)`: a
/// success writes nothing iff the last 20 calls were successes.
///
/// | errors | calls that write |
/// |---|---|
/// | 0 | none |
/// | 0.1 % | 1 in 50 |
/// | 1 % | 1 in 5 |
/// | 10 % | 9 in 10 |
///
/// (The share is `1 - (1 - e)^21` for an error rate `e`: a call writes if it fails or one of the 20
/// before it did. For `consecutive(n)` alone it is about `2e`: the failure and the first success after it. For a long window it
/// is large: with `of_last(1000)` at 0.1 % two calls in three write.)
///
/// ```
/// use cutout::Trip;
///
/// let either = Trip::consecutive(5).or(Trip::percent(50).min_calls(10).of_last(40));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trip {
    /// This many failures in a row trip.
    pub consecutive: Option<u32>,
    /// Too many failures in this window trip.
    pub window: Option<Window>,
    /// What was combined with another of its kind.
    pub(super) doubled: Option<&'static str>,
}

/// A rolling window and how many failures in it are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Window {
    /// How many failures are too many.
    pub threshold: Threshold,
    /// What the window covers.
    pub span: Span,
}

/// How many failures in a window are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Threshold {
    /// This many.
    Failures(u32),
    /// This share, once the window covers enough calls.
    Percent {
        /// `failures × 100 >= percent × calls` trips.
        percent: u32,
        /// The fewest calls in the window, the failing one included, that are judged.
        min_calls: u32,
    },
}

/// What a window covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Span {
    /// The last calls.
    OfLast(u32),
    /// The calls that ended within this time.
    Within(Duration),
}

/// `min_calls` of a window over time, if not set.
const MIN_CALLS_WITHIN: u32 = 20;

impl Trip {
    /// Trips at the `n`-th failure in a row: 1 to 65 535, beside a window of up to 45 calls 1 to 45.
    #[must_use]
    pub const fn consecutive(n: u32) -> Self {
        Self {
            consecutive: Some(n),
            window: None,
            doubled: None,
        }
    }

    /// Trips at the `k`-th failure in a window: complete it with [`Failures::of_last`] or
    /// [`Failures::within`].
    pub const fn failures(k: u32) -> Failures {
        Failures(k)
    }

    /// Trips when this share of the calls in a window failed: complete it with
    /// [`Percent::of_last`] or [`Percent::within`].
    pub const fn percent(percent: u32) -> Percent {
        Percent {
            percent,
            min_calls: None,
        }
    }

    /// Trips by either. One of the two must be [`Trip::consecutive`] and the other a window, in any
    /// order; anything else is refused when the breaker is built.
    #[must_use]
    pub const fn or(mut self, other: Self) -> Self {
        if other.consecutive.is_some() {
            if self.consecutive.is_some() {
                self.doubled = Some("consecutive twice");
            }
            self.consecutive = other.consecutive;
        }
        if other.window.is_some() {
            if self.window.is_some() {
                self.doubled = Some("two windows");
            }
            self.window = other.window;
        }
        if other.doubled.is_some() {
            self.doubled = other.doubled;
        }
        self
    }

    pub(super) const fn window(threshold: Threshold, span: Span) -> Self {
        Self {
            consecutive: None,
            window: Some(Window { threshold, span }),
            doubled: None,
        }
    }
}

/// A count of failures that still lacks its window.
#[derive(Clone, Copy, Debug)]
#[must_use = "a count of failures is a trip only with a window: `.of_last(n)` or `.within(time)`"]
pub struct Failures(u32);

impl Failures {
    /// Among the last `n` calls: 1 to 4096.
    #[must_use]
    pub const fn of_last(self, n: u32) -> Trip {
        Trip::window(Threshold::Failures(self.0), Span::OfLast(n))
    }

    /// Within this time: 10 ms to 365 days. A failure that is exactly so old does not count any more.
    #[must_use]
    pub const fn within(self, time: Duration) -> Trip {
        Trip::window(Threshold::Failures(self.0), Span::Within(time))
    }
}

/// A share of failures that still lacks its window.
#[derive(Clone, Copy, Debug)]
#[must_use = "a share of failures is a trip only with a window: `.of_last(n)` or `.within(time)`"]
pub struct Percent {
    percent: u32,
    min_calls: Option<u32>,
}

impl Percent {
    /// Judges no window with fewer calls than this. Default: all of `of_last(n)`, 20 for `within`.
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

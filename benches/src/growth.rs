//! Contenders of one axis: the number of threads, of breakers, or the size of a window.
//!
//! The name of a contender on the axis of breakers ends in the number of breakers.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cutout::{Breaker, Trip};

use crate::{
    cli,
    contender::Contender,
    contenders::subject,
    dependency::{Path, dependency},
    subjects::{
        self, Built, Calls, CutoutDefault, FailsafeInARow, FastClock, LONG, NoBreaker,
        RecloserOfLast, Subject,
    },
};

/// Paths whose growth is measured.
pub const PATHS: [Path; 3] = [Path::Healthy, Path::OneInTenFails, Path::Rejected];
/// Name of the axis of breakers.
pub const BREAKERS: &str = "growth, breakers";
/// Contender that only loads a word of each breaker.
pub const LINE: &str = "load of a cache line";

/// Name of a group by number of threads.
#[must_use]
pub fn threads_group(path: Path) -> String {
    format!("growth, threads, {}", path.title())
}

/// Name of a group by window.
#[must_use]
pub fn windows_group(path: Path) -> String {
    format!("growth, windows, {}", path.title())
}

/// Numbers of breakers, powers of two. A test takes small ones.
#[must_use]
pub fn numbers_of_breakers() -> &'static [usize] {
    if cli::to_measure() {
        &[1, 1 << 10, 1 << 20]
    } else {
        &[1, 1 << 10]
    }
}

/// One breaker that all threads share, and the two fastest rivals.
#[must_use]
pub fn threads(path: Path) -> Vec<Contender> {
    [
        subject::<NoBreaker>(path),
        subject::<CutoutDefault>(path),
        subject::<FailsafeInARow>(path),
        subject::<RecloserOfLast>(path),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Calls through one of many breakers, in an order that no cache foresees.
#[must_use]
pub fn breakers() -> Vec<Contender> {
    let mut all = Vec::new();
    for &number in numbers_of_breakers() {
        all.push(
            Many::of(number, || Line(AtomicU64::new(0)))
                .contender(LINE, 1, |line, _| line.0.load(Ordering::Acquire) == 0),
        );
        let closed = || CutoutDefault::build(Built::AsNamed);
        let open = || {
            let breaker = closed();
            breaker.force_open_for(LONG);
            breaker
        };
        let name = |path: Path| format!("cutout, {}", path.title());
        all.push(Many::of(number, closed).contender(
            &name(Path::Healthy),
            1,
            |breaker: &Breaker, n| Calls::call(breaker, move || dependency::<0, 1>(n)),
        ));
        all.push(Many::of(number, closed).contender(
            &name(Path::OneInTenFails),
            1,
            |breaker: &Breaker, n| Calls::call(breaker, move || dependency::<1, 10>(n)),
        ));
        all.push(Many::of(number, open).contender(
            &name(Path::Rejected),
            0,
            |breaker: &Breaker, n| Calls::call(breaker, move || dependency::<0, 1>(n)),
        ));
    }
    all
}

/// A word in the space of a breaker.
#[repr(align(256))]
struct Line(AtomicU64);

/// Many values, a power of two.
struct Many<T> {
    values: Arc<[T]>,
    /// Number of the next call, so that a sample does not repeat the values of the last.
    next: AtomicU64,
}

impl<T: Send + Sync + 'static> Many<T> {
    fn of(number: usize, make: impl Fn() -> T) -> Self {
        assert!(number.is_power_of_two(), "{number}");
        Self {
            values: (0..number).map(|_| make()).collect(),
            next: AtomicU64::new(0),
        }
    }

    fn contender(
        self,
        name: &str,
        let_through: u64,
        call: impl Fn(&T, u64) -> bool + Send + Sync + 'static,
    ) -> Contender {
        let name = format!("{name}, {}", self.values.len());
        Contender::running(&name, let_through, move |calls| {
            let first = self.next.fetch_add(calls, Ordering::Relaxed);
            let calls = (first..first + calls).map(black_box);
            let call = |n| u64::from(call(&self.values[self.index(n)], n));
            calls.map(call).sum()
        })
    }

    /// The index of the value of a call: a walk over all values in large steps.
    #[inline]
    fn index(&self, call: u64) -> usize {
        // 2^64 divided by the golden ratio, odd.
        let spread = call.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        usize::try_from(spread).unwrap_or(0) & (self.values.len() - 1)
    }
}

/// A trip with each size of its window.
#[must_use]
pub fn windows(path: Path) -> Vec<Contender> {
    let ours = trips().into_iter().map(|(name, trip)| {
        let builder = subjects::cutout(trip, Built::AsNamed);
        let builder = if name.starts_with("failures") {
            // By this clock, failures are so rare that even ten of them come within no window.
            builder.clock(&FastClock::<10_000_000>)
        } else {
            builder
        };
        Contender::calls(&name, path, builder.build())
    });
    subject::<NoBreaker>(path).into_iter().chain(ours).collect()
}

/// Names of the contenders of [`windows`], by kind and size.
#[must_use]
pub fn window_names() -> Vec<String> {
    trips().into_iter().map(|(name, _)| name).collect()
}

fn trips() -> Vec<(String, Trip)> {
    let second = Duration::from_secs(1);
    let mut all = Vec::new();
    for n in [10, 45, 100, 1_000, 4_096] {
        let trip = Trip::percent(50).of_last(n);
        all.push((format!("percent(50).of_last({n})"), trip));
    }
    for k in [10, 100, 1_000] {
        let trip = Trip::failures(k).within(second);
        all.push((format!("failures({k}).within(1 s)"), trip));
    }
    for (name, seconds) in [("1 s", 1), ("1 min", 60), ("1 h", 3_600), ("1 day", 86_400)] {
        let trip = Trip::percent(50).min_calls(20).within(seconds * second);
        all.push((format!("percent(50).within({name})"), trip));
    }
    all
}

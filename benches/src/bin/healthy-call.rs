//! One healthy call, alone in a function, for an inspection of its machine code: see
//! `benches/machine-code`.

use std::hint::black_box;

use cutout::{Breaker, metrics::Metrics, tracing::Events};

static BREAKER: Breaker = Breaker::new();

static METRICS: Metrics = Metrics::new();
/// A breaker whose transitions, rejections and failures are counted and logged.
static MONITORED: Breaker = Breaker::builder()
    .name("monitored")
    .listeners(&[&METRICS, &Events])
    .build();

/// A call that does no work of its own, so that only the breaker's work remains. The result is
/// returned in a register, and needs no store.
#[inline(never)]
fn healthy_call(value: u32) -> u32 {
    BREAKER.call(|| Ok::<_, ()>(value)).unwrap_or(0)
}

/// The same call through a monitored breaker.
#[inline(never)]
fn monitored_call(value: u32) -> u32 {
    MONITORED.call(|| Ok::<_, ()>(value)).unwrap_or(0)
}

fn main() {
    METRICS.register(&MONITORED);
    // Fill the windows with successes: after that, calls are healthy.
    for value in 0..100 {
        black_box(healthy_call(black_box(value)));
        black_box(monitored_call(black_box(value)));
    }
    println!("{:?} {:?}", BREAKER.state(), MONITORED.state());
}

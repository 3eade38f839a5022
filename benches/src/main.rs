//! One healthy call, alone in a function, to look at its machine code: see `benches/machine-code`.

use std::hint::black_box;

use cutout::{Breaker, Error};

static BREAKER: Breaker = Breaker::new();

/// A call whose own work is next to nothing, so that what is left is the breaker.
#[inline(never)]
fn healthy_call(value: u64) -> Result<u64, Error<()>> {
    BREAKER.call(|| Ok(value))
}

fn main() {
    // The window fills with successes; from then on a call is healthy.
    for value in 0..100 {
        black_box(healthy_call(black_box(value))).unwrap_or_default();
    }
    println!("{:?}", BREAKER.state());
}

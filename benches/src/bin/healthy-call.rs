//! One healthy call, alone in a function, to look at its machine code: see `benches/machine-code`.

use std::hint::black_box;

use cutout::Breaker;

static BREAKER: Breaker = Breaker::new();

/// A call whose own work is nothing, so that what is left is the breaker. The result comes back in a
/// register, so that its way out is no store either.
#[inline(never)]
fn healthy_call(value: u32) -> u32 {
    BREAKER.call(|| Ok::<_, ()>(value)).unwrap_or(0)
}

fn main() {
    // The window fills with successes; from then on a call is healthy.
    for value in 0..100 {
        black_box(healthy_call(black_box(value)));
    }
    println!("{:?}", BREAKER.state());
}

//! One healthy call, alone in a function, for an inspection of its machine code: see
//! `benches/machine-code`.

use std::hint::black_box;

use cutout::Breaker;

static BREAKER: Breaker = Breaker::new();

/// A call that does no work of its own, so that only the breaker's work remains. The result is
/// returned in a register, and needs no store.
#[inline(never)]
fn healthy_call(value: u32) -> u32 {
    BREAKER.call(|| Ok::<_, ()>(value)).unwrap_or(0)
}

fn main() {
    // Fill the window with successes: after that, calls are healthy.
    for value in 0..100 {
        black_box(healthy_call(black_box(value)));
    }
    println!("{:?}", BREAKER.state());
}

//! What a breaker costs apart from its calls: to trip and recover, to be built and dropped.

use benches::{contenders, passes::measure};

fn main() {
    cutout::clock::warm_up();
    measure("trip and recover", &[1], contenders::cycling);
    measure("build and drop", &[1], contenders::building);
}

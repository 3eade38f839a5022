//! Cost of a breaker outside its calls: to trip and recover, to build and drop.

use benches::{contenders, passes::measure};

fn main() {
    cutout::clock::warm_up();
    measure("trip and recover", &[1], contenders::cycling);
    measure("build and drop", &[1], contenders::building);
}

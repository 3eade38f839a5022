//! Cost of an async call, compared with rivals that have async calls.

use benches::{contenders::asynchronous, dependency::Path, passes::measure};

fn main() {
    cutout::clock::warm_up();
    measure("async, healthy", &[1, 2], || asynchronous(Path::Healthy));
    measure("async, rejected", &[1, 2], || asynchronous(Path::Rejected));
}

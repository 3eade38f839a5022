//! What a call that is a future costs, beside rivals that have such calls.

use benches::{contenders::asynchronous, dependency::Path, passes::measure};

fn main() {
    cutout::clock::warm_up();
    measure("async, healthy", &[1, 2], || asynchronous(Path::Healthy));
    measure("async, rejected", &[1, 2], || asynchronous(Path::Rejected));
}

//! Cost of a request through a tower stack.

use benches::{dependency::Path, passes::measure, tower::stacks};

fn main() {
    cutout::clock::warm_up();
    measure("tower, healthy", &[1, 2], || stacks(Path::Healthy));
    measure("tower, rejected", &[1, 2], || stacks(Path::Rejected));
}

//! Cost of a healthy call in the shapes that people write, compared with rivals.

use benches::{passes::measure, shapes};

fn main() {
    cutout::clock::warm_up();
    for (shape, contenders) in shapes::ALL {
        measure(&shapes::group(shape), &[1, 2], contenders);
    }
}

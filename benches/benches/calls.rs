//! What a call costs beside rivals, on each path, on one thread, two, and more than there are cores.

use benches::{contenders, dependency::Path, passes::measure};

fn main() {
    cutout::clock::warm_up();
    for path in Path::ALL {
        measure(path.title(), &[1, 2, 4], || contenders::on(path));
    }
}

//! Cost of a call compared with rivals: each path, on one thread, two threads, and more threads
//! than cores.

use benches::{contenders, dependency::Path, passes::measure};

fn main() {
    cutout::clock::warm_up();
    for path in Path::ALL {
        measure(path.title(), &[1, 2, 4], || contenders::on(path));
    }
}

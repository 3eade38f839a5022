//! Growth of the cost of a call: with the threads that share a breaker, with the number of
//! breakers, and with the size of the window. `keyed` measures the number of keys.

use benches::{
    dependency::Path,
    growth::{self, BREAKERS, PATHS, threads_group, windows_group},
    passes::measure,
};

fn main() {
    cutout::clock::warm_up();
    for path in PATHS {
        measure(&threads_group(path), &[1, 2, 4, 8], || {
            growth::threads(path)
        });
    }
    measure(BREAKERS, &[1], growth::breakers);
    for path in [Path::Healthy, Path::OneInTenFails] {
        measure(&windows_group(path), &[1], || growth::windows(path));
    }
}

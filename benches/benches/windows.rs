//! Cost of each kind of window, compared with similar windows of rivals, at four failure rates that
//! do not trip.

use benches::{contenders, dependency::Path, passes::measure};

fn main() {
    cutout::clock::warm_up();
    for path in [
        Path::Healthy,
        Path::OneInAThousandFails,
        Path::OneInAHundredFails,
        Path::OneInTenFails,
    ] {
        let group = format!("windows, {}", path.title());
        measure(&group, &[1, 2], || contenders::windows(path));
    }
}

//! What each kind of window costs, beside rivals that have one like it, at four rates of failures that trip none.

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

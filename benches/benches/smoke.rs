//! A first look at the costs of DESIGN.md §7, side by side in one run.
//!
//! What is measured, and how, says [`benches`]. Run it with `cargo bench -p benches --bench smoke`.

use benches::{Contender, OPEN_FOR, Path, bare, contender, measure, ours, raw_clock, recloser};
use cutout::{Breaker, Trip, clock};
use failsafe::CircuitBreaker as _;

const RIVAL: &str = "failsafe, consecutive(5)";

fn failsafe(path: Path) -> Contender {
    let policy =
        failsafe::failure_policy::consecutive_failures(5, failsafe::backoff::constant(OPEN_FOR));
    let breaker = failsafe::Config::new().failure_policy(policy).build();
    if path == Path::Rejected {
        while breaker.is_call_permitted() {
            let _ = breaker.call(|| Err::<(), _>(()));
        }
    }
    contender!(RIVAL, |partner| breaker.call(partner))
}

fn contenders(path: Path) -> Vec<Contender> {
    let trip = |trip| Breaker::builder().trip(trip);
    let mut all = vec![
        bare(),
        ours("cutout, default", Breaker::builder(), path),
        ours("cutout, consecutive(5)", trip(Trip::consecutive(5)), path),
        ours(
            "cutout, 50 % of 20",
            trip(Trip::percent(50).of_last(20)),
            path,
        ),
        recloser("recloser, 50 % of 20", 20, path),
        failsafe(path),
    ];
    if path == Path::Rejected {
        all.push(raw_clock());
    }
    all
}

fn main() {
    clock::warm_up();
    for (title, path) in [
        ("healthy", Path::Healthy),
        ("rejected", Path::Rejected),
        ("one in ten fails", Path::OneInTenFails),
    ] {
        if benches::is_wanted(title) {
            measure(title, path, RIVAL, contenders);
        }
    }
}

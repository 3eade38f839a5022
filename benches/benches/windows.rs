//! What each kind of window costs, at four rates of failures that do not trip it (DESIGN.md §4, §7).
//!
//! What is measured, and how, says [`benches`]. Run it with `cargo bench -p benches --bench windows`, with
//! `-- hundred` for just that rate.

use std::time::Duration;

use benches::{Contender, OPEN_FOR, Path, bare, contender, measure, ours, raw_clock, recloser};
use cutout::{Breaker, Trip, clock};
use failsafe::CircuitBreaker as _;

const RIVAL: &str = "failsafe, 50 % over 10 s";
const TEN_SECONDS: Duration = Duration::from_secs(10);

/// The default clock at a thousand times its pace. Calls that take no time of their own come so fast that
/// the most failures of the shortest `within` would trip at each rate; to this clock they are rare.
struct Hasty;

impl clock::Clock for Hasty {
    #[inline]
    fn now(&self) -> u64 {
        clock::Monotonic.now().wrapping_mul(1_000)
    }
}

fn failsafe_rate() -> Contender {
    let policy = failsafe::failure_policy::success_rate_over_time_window(
        0.5,
        20,
        TEN_SECONDS,
        failsafe::backoff::constant(OPEN_FOR),
    );
    let breaker = failsafe::Config::new().failure_policy(policy).build();
    contender!(RIVAL, |partner| breaker.call(partner))
}

fn contenders(path: Path) -> Vec<Contender> {
    let ours = |name, trip| ours(name, Breaker::builder().trip(trip), path);
    let hasty = Breaker::builder()
        .clock(&Hasty)
        .trip(Trip::failures(1_024).within(Duration::from_millis(10)));
    vec![
        bare(),
        raw_clock(),
        ours("cutout, 50 % of 20", Trip::percent(50).of_last(20)),
        ours("cutout, 50 % of 1000", Trip::percent(50).of_last(1_000)),
        ours("cutout, 900 of 1000", Trip::failures(900).of_last(1_000)),
        benches::ours("cutout, 1024 within 10 ms", hasty, path),
        ours(
            "cutout, 50 % within 10 s",
            Trip::percent(50).min_calls(20).within(TEN_SECONDS),
        ),
        recloser("recloser, 50 % of 20", 20, path),
        recloser("recloser, 50 % of 1000", 1_000, path),
        failsafe_rate(),
    ]
}

fn main() {
    clock::warm_up();
    for (title, path) in [
        ("none fails", Path::Healthy),
        ("one in a thousand fails", Path::OneInAThousandFails),
        ("one in a hundred fails", Path::OneInAHundredFails),
        ("one in ten fails", Path::OneInTenFails),
    ] {
        if benches::is_wanted(title) {
            measure(title, path, RIVAL, contenders);
        }
    }
}

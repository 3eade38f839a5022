//! Rules of the games: each trip that is counted in the word.

use std::num::NonZeroU32;

use crate::machine::{
    rules::{CompiledBackoff, Rules},
    trip::{CompiledThreshold, CompiledWindow, TripRule, bits::Bits},
};

/// The length of an open period. The game's clock advances by quarters of it.
pub(crate) const OPEN_MS: u32 = 1_000;

#[derive(Clone, Copy)]
pub(crate) struct Named {
    pub(crate) name: &'static str,
    pub(crate) rules: Rules,
}

/// # Panics
///
/// If no rules have that name.
pub(crate) fn named(name: &str) -> Named {
    let window = |span, threshold| Some(CompiledWindow::Bits(Bits { span, threshold }));
    let percent = CompiledThreshold::Percent {
        percent: 50,
        min_calls: 3,
    };
    let all = [
        ("consecutive", Some(3), None, 1),
        (
            "of-last",
            None,
            window(6, CompiledThreshold::Failures(3)),
            1,
        ),
        ("percent", None, window(5, percent), 2),
        (
            "two-probes",
            Some(2),
            window(8, CompiledThreshold::Failures(3)),
            2,
        ),
    ];
    let (name, run, window, probes) = all
        .into_iter()
        .find(|(known, ..)| *known == name)
        .expect("rules of this name");
    let rules = Rules {
        trip_rule: TripRule { run, window },
        backoff: CompiledBackoff {
            base: OPEN_MS,
            cap: 4 * OPEN_MS,
            factor: 2,
            jitter: 20,
            seeded: false,
            seed: 0,
        },
        probes,
        probe_successes: probes,
        lease: NonZeroU32::new(OPEN_MS),
        slow_call: None,
        on_drop: None,
    };
    Named { name, rules }
}

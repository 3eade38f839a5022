//! The searched rules: small, and together they reach every branch of the machine.

use core::num::NonZeroU32;

use super::{
    super::{
        rules::{CompiledBackoff, Rules},
        trip::{CompiledThreshold, CompiledWindow, TripRule, bits::Bits},
        word::MAX_REOPENS,
    },
    explore::Stats,
    external,
};

/// Rules to search, and the minimum size of their search.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) rules: Rules,
    /// More reopens than this make no difference.
    pub(super) reopens: u8,
    pub(super) least: Stats,
}

pub(super) fn cases() -> Vec<Case> {
    in_word().into_iter().chain(external::cases()).collect()
}

/// Cases whose trip is in the word.
fn in_word() -> [Case; 7] {
    [
        Case {
            name: "consecutive(2), one probe",
            rules: rules(run(2), CONSTANT, (1, 1), None),
            reopens: MAX_REOPENS,
            least: least(2_200, 67_000),
        },
        Case {
            name: "consecutive(1), one probe, three successes, lease 10 ms",
            rules: rules(run(1), DOUBLING, (1, 3), Some(10)),
            reopens: SETTLED,
            least: least(850, 26_000),
        },
        Case {
            name: "failures(2).of_last(3), two probes, two successes, doubling to 40 ms, lease 10 ms",
            rules: rules(failures(2, 3), DOUBLING, (2, 2), Some(10)),
            reopens: SETTLED,
            least: least(1_500, 44_000),
        },
        Case {
            name: "percent(50).min_calls(2).of_last(3).or(consecutive(2)), three probes, one success, jitter 100",
            rules: rules(
                TripRule {
                    run: Some(2),
                    ..percent(50, 2, 3)
                },
                JITTERED,
                (3, 1),
                None,
            ),
            reopens: SETTLED,
            least: least(1_300, 38_000),
        },
        Case {
            name: "percent(100).of_last(2), two probes, three successes, jitter 100, lease a day",
            rules: rules(percent(100, 2, 2), JITTERED, (2, 3), Some(DAY_MS)),
            reopens: SETTLED,
            least: least(1_500, 47_000),
        },
        Case {
            name: "failures(3).of_last(3).or(consecutive(5)), one probe, two successes",
            rules: rules(
                TripRule {
                    run: Some(5),
                    ..failures(3, 3)
                },
                CONSTANT,
                (1, 2),
                None,
            ),
            reopens: SETTLED,
            least: least(1_400, 39_000),
        },
        Case {
            name: "consecutive(2), three probes, three successes, 30 days, jitter 100",
            rules: rules(run(2), LONGEST, (3, 3), None),
            reopens: SETTLED,
            least: least(1_600, 53_000),
        },
    ]
}

/// Reopens at which each interval has reached its cap; the default lease doubles three times.
pub(super) const SETTLED: u8 = 4;
const DAY_MS: u32 = 86_400_000;

pub(super) const CONSTANT: CompiledBackoff = CompiledBackoff {
    base: 10,
    cap: 10,
    factor: 1,
    jitter: 0,
    seeded: false,
    seed: 0,
};
/// Reaches its cap after two reopens.
pub(super) const DOUBLING: CompiledBackoff = CompiledBackoff {
    cap: 40,
    factor: 2,
    ..CONSTANT
};
pub(super) const JITTERED: CompiledBackoff = CompiledBackoff {
    jitter: 100,
    ..DOUBLING
};
/// The longest interval, reached by the steepest growth.
const LONGEST: CompiledBackoff = CompiledBackoff {
    base: 20_000,
    cap: 30 * DAY_MS,
    factor: 100,
    jitter: 100,
    seeded: false,
    seed: 0,
};

pub(super) const fn rules(
    trip_rule: TripRule,
    backoff: CompiledBackoff,
    (probes, probe_successes): (u8, u8),
    lease: Option<u32>,
) -> Rules {
    Rules {
        trip_rule,
        backoff,
        probes,
        probe_successes,
        lease: match lease {
            Some(lease) => NonZeroU32::new(lease),
            None => None,
        },
        slow_call: None,
        on_drop: None,
    }
}

pub(super) const fn least(states: usize, edges: usize) -> Stats {
    Stats { states, edges }
}

const fn run(n: u16) -> TripRule {
    TripRule {
        run: Some(n),
        window: None,
    }
}

const fn failures(k: u16, span: u8) -> TripRule {
    window(CompiledThreshold::Failures(k), span)
}

const fn percent(percent: u8, min_calls: u16, span: u8) -> TripRule {
    window(CompiledThreshold::Percent { percent, min_calls }, span)
}

/// Rules under which one probe decides, with the default lease.
pub(super) fn one_probe() -> Rules {
    rules(run(1), CONSTANT, (1, 1), None)
}

/// Rules with a window of `span` calls, or without a window for 0.
pub(super) fn of_last(span: u16) -> Rules {
    let trip_rule = match u8::try_from(span).expect("a window in the word is short") {
        0 => run(1),
        span => failures(1, span),
    };
    rules(trip_rule, CONSTANT, (1, 1), None)
}

const fn window(threshold: CompiledThreshold, span: u8) -> TripRule {
    TripRule {
        run: None,
        window: Some(CompiledWindow::Bits(Bits { span, threshold })),
    }
}

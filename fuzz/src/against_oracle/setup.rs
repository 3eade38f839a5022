//! Setup of a game: policy, clock, generation, and an optional call listener.
//!
//! ```text
//! f 05 10 00 #20 | s05 02 m01 20 | 01 01 m00 m00 - | 0s01 | 0 n
//! | |  |  |   |     |  |   |  |    |  |   |   |  |    ||    | `- y: a call listener is set
//! | |  |  |   |     |  |   |  |    |  |   |   |  |    ||    `--- w number: distance in resets from
//! | |  |  |   |     |  |   |  |    |  |   |   |  |    ||         the wrap of the generation;
//! | |  |  |   |     |  |   |  |    |  |   |   |  |    ||         any other: none
//! | |  |  |   |     |  |   |  |    |  |   |   |  |    |`-------- a time
//! | |  |  |   |     |  |   |  |    |  |   |   |  |    `--------- start of the clock. 0: the time;
//! | |  |  |   |     |  |   |  |    |  |   |   |  |               -: that time before u64::MAX;
//! | |  |  |   |     |  |   |  |    |  |   |   |  |               d, l, s number: that time before
//! | |  |  |   |     |  |   |  |    |  |   |   |  |               this wrap of deadlines, of lease
//! | |  |  |   |     |  |   |  |    |  |   |   |  |               ends, of stamps
//! | |  |  |   |     |  |   |  |    |  |   |   |  `-------------- on_drop: p FailProbe, i Ignore,
//! | |  |  |   |     |  |   |  |    |  |   |   |                  f Failure, a and a time
//! | |  |  |   |     |  |   |  |    |  |   |   |                  FailureAfter; any other: not set
//! | |  |  |   |     |  |   |  |    |  |   `---`----------------- probe_lease, slow_call; 0: not set
//! | |  |  |   |     |  |   |  |    `--`------------------------- probes, probe_successes
//! | |  |  |   |     `--`---`--`--------------------------------- base, factor, cap, jitter
//! | |  |  |   `------------------------------------------------- a time; of calls, its number alone
//! | |  |  `----------------------------------------------------- min_calls; 0: the default
//! | |  `-------------------------------------------------------- failures, or percent
//! | `----------------------------------------------------------- the run; 0 with a window: none
//! `------------------------------------------------------------- c consecutive alone; f failures,
//!                                                                p percent of_last up to 45; F, P
//!                                                                of_last from 46; t failures,
//!                                                                r percent within
//! ```
//!
//! A value out of bounds becomes the nearest bound. The jitter has a seed, since it would otherwise
//! depend on the address of the breaker.

use std::time::Duration;

use cutout::{Backoff, OnDrop, Policy, Trip};

use super::{
    decode::{DEADLINES_WRAP, Decoder, ENTRIES_WRAP, LEASES_WRAP},
    oracle::lockstep::Setup,
};

const DAY_MS: u64 = 86_400_000;

pub(super) fn read(decoder: &mut Decoder<'_>) -> Setup {
    Setup {
        policy: policy(decoder),
        start: clock(decoder),
        transitions: match decoder.letter() {
            b'w' => 65_536 - decoder.number_in(0, 255) as usize,
            _ => 0,
        },
        watched: decoder.letter() == b'y',
    }
}

fn policy(decoder: &mut Decoder<'_>) -> Policy {
    let mut policy = Policy::new()
        .trip(trip(decoder))
        .backoff(backoff(decoder))
        .probes(decoder.number_in(1, 63))
        .probe_successes(decoder.number_in(1, 63));
    policy.probe_lease = set(decoder.time()).map(|lease| millis_in(lease, 10, DAY_MS));
    // A limit above the lease is refused.
    let default = policy.backoff.base.max(Duration::from_secs(30));
    let lease = policy.probe_lease.unwrap_or(default);
    let limit = |time: Duration| millis_in(time, 1, DAY_MS).min(lease);
    policy.slow_call = set(decoder.time()).map(limit);
    policy.on_drop = match decoder.letter() {
        b'p' => Some(OnDrop::FailProbe),
        b'i' => Some(OnDrop::Ignore),
        b'f' => Some(OnDrop::Failure),
        b'a' => Some(OnDrop::FailureAfter(limit(decoder.time()))),
        b'q' => Some(OnDrop::FailProbeAfter(limit(decoder.time()))),
        _ => None,
    };
    policy
}

fn trip(decoder: &mut Decoder<'_>) -> Trip {
    let kind = decoder.letter();
    let run = decoder.number();
    let threshold = decoder.number();
    let min_calls = decoder.number();
    // Decode both from the same bytes, so that the kind can be mutated alone.
    let (cover, calls) = decoder.time_and_number();
    let at_most = |number: u64, most: u32| {
        u32::try_from(number.clamp(1, most.into())).expect("at most a u32")
    };
    let of_last = |least: u32, most: u32| at_most(calls, most).max(least);
    let failures = |n: u32| Trip::failures(at_most(threshold, n)).of_last(n);
    let percent = || Trip::percent(at_most(threshold, 100));
    let rate = |n: u32| match min_calls {
        0 => percent().of_last(n),
        calls => percent().min_calls(at_most(calls, n)).of_last(n),
    };
    let (window, longest_run) = match kind {
        b'f' => (failures(of_last(1, 45)), 45),
        b'p' => (rate(of_last(1, 45)), 45),
        b'F' => (failures(of_last(46, 4_096)), 65_535),
        b'P' => (rate(of_last(46, 4_096)), 65_535),
        b't' => {
            let within = millis_in(cover, 10, 365 * DAY_MS);
            let failures = Trip::failures(at_most(threshold, 1_024));
            (failures.within(within), 65_535)
        }
        b'r' => {
            let within = millis_in(cover, 100, DAY_MS);
            let trip = match min_calls {
                0 => percent().within(within),
                calls => percent()
                    .min_calls(at_most(calls, 1_000_000))
                    .within(within),
            };
            (trip, 65_535)
        }
        _ => return Trip::consecutive(at_most(run, 65_535)),
    };
    match run {
        0 => window,
        run => window.or(Trip::consecutive(at_most(run, longest_run))),
    }
}

fn backoff(decoder: &mut Decoder<'_>) -> Backoff {
    let base = millis_in(decoder.time(), 10, 30 * DAY_MS);
    let factor = decoder.number_in(1, 100);
    let cap = millis_in(decoder.time(), 10, 30 * DAY_MS).max(base);
    let jitter = decoder.number_in(0, 100);
    Backoff::exponential(base, factor, cap)
        .jitter(jitter)
        .seed(7)
}

fn clock(decoder: &mut Decoder<'_>) -> u64 {
    let lap_of = match decoder.letter() {
        b'-' => return u64::MAX - nanos(decoder.time()),
        b'd' => DEADLINES_WRAP,
        b'l' => LEASES_WRAP,
        b's' => ENTRIES_WRAP,
        _ => return nanos(decoder.time()),
    };
    decoder
        .number()
        .wrapping_mul(lap_of)
        .wrapping_sub(nanos(decoder.time()))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn set(time: Duration) -> Option<Duration> {
    (!time.is_zero()).then_some(time)
}

fn millis_in(time: Duration, low: u64, high: u64) -> Duration {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(millis.clamp(low, high))
}

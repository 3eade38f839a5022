//! Criterion, in passes.
//!
//! Criterion measures one contender after the other, and what the machine does meanwhile falls on one of them.
//! So each gets many short passes in turn, each kept as a baseline of its own (`pass-1`, `pass-2`, …) in
//! criterion's output, and the report takes all samples of all passes together.

use std::{
    env,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use criterion::{Criterion, SamplingMode};

use crate::{asked, contender::Contender};

/// How often each contender gets its turn, unless the environment variable `PASSES` says otherwise.
const PASSES: usize = 20;
/// Samples in each turn: the fewest that criterion allows.
pub const SAMPLES: usize = 10;
const WARM_UP: Duration = Duration::from_millis(10);
/// How long each sample takes. With more threads than cores it must span several of the scheduler's time slices.
const SAMPLE: Duration = Duration::from_millis(5);
const CROWDED_SAMPLE: Duration = Duration::from_millis(20);
const CROWD: usize = 4;
/// Rounds of each of several threads.
const FEWEST: u64 = 10_000;

/// Times these contenders against each other on so many threads each.
///
/// # Panics
///
/// If not as many calls are let through as must be.
pub fn measure(group: &str, threads: &[usize], contenders: impl Fn() -> Vec<Contender>) {
    let passes = passes();
    for &threads in threads {
        let contenders = contenders();
        for pass in 1..=passes {
            let mut criterion = Criterion::default()
                .configure_from_args()
                .without_plots()
                .save_baseline(format!("pass-{pass}"))
                .sample_size(SAMPLES)
                .warm_up_time(WARM_UP)
                // Of each pass: the report looks at the samples themselves.
                .nresamples(1_001);
            let mut group = criterion.benchmark_group(group);
            let sample = if threads < CROWD {
                SAMPLE
            } else {
                CROWDED_SAMPLE
            };
            let samples = u32::try_from(SAMPLES).unwrap_or(u32::MAX);
            group.sampling_mode(SamplingMode::Flat);
            group.measurement_time(sample * samples);
            for contender in &contenders {
                let id = criterion::BenchmarkId::new(contender.name(), threads);
                group.bench_function(id, |bencher| {
                    bencher.iter_custom(|rounds| time(contender, rounds, threads));
                });
            }
            group.finish();
        }
    }
}

fn passes() -> usize {
    let asked_for = env::var("PASSES")
        .ok()
        .and_then(|passes| passes.parse().ok());
    if asked::to_measure() {
        asked_for.unwrap_or(PASSES)
    } else {
        1
    }
}

/// How long so many rounds take on each of so many threads at once, by the wall clock: from the start of the
/// first thread to the end of the last, so that threads which do not overlap can't look as if they did not meet.
/// Several threads make more rounds if these are few, or it would be the time that they take to start.
fn time(contender: &Contender, rounds: u64, threads: usize) -> Duration {
    let barrier = Barrier::new(threads);
    let made = if threads == 1 {
        rounds
    } else {
        rounds.max(FEWEST)
    };
    let run = || {
        // What a thread has to do once is done before.
        contender.run(1);
        barrier.wait();
        let start = Instant::now();
        contender.run(made);
        (start, Instant::now())
    };
    let times: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let join = |thread: thread::ScopedJoinHandle<_>| thread.join().expect("a sample ends");
        threads.into_iter().map(join).collect()
    });
    let start = times.iter().map(|(start, _)| *start).min();
    let end = times.iter().map(|(_, end)| *end).max();
    let time = end
        .zip(start)
        .map_or(Duration::ZERO, |(end, start)| end - start);
    Duration::from_nanos_u128(time.as_nanos() * u128::from(rounds) / u128::from(made))
}

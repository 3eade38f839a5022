//! Criterion, in passes.
//!
//! Criterion measures one contender after another, so that other activity of the machine affects
//! one of them. Each contender therefore gets many short passes in turn. Each pass is stored as a
//! separate baseline (`pass-1`, `pass-2`, …) in criterion's output, and the report merges the
//! samples of all passes.

use std::{
    env,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use criterion::{Criterion, SamplingMode};

use crate::{cli, contender::Contender};

/// Default number of passes, which the environment variable `PASSES` replaces.
const PASSES: usize = 20;
/// Samples in each pass: the fewest that criterion allows.
pub const SAMPLES: usize = 10;
const WARM_UP: Duration = Duration::from_millis(10);
/// Length of a sample. With more threads than cores it must span several time slices of the
/// scheduler.
const SAMPLE: Duration = Duration::from_millis(5);
const CROWDED_SAMPLE: Duration = Duration::from_millis(20);
const CROWD: usize = 4;
/// Minimum number of rounds of each thread, if there are several.
const FEWEST: u64 = 10_000;

/// Measures these contenders in turn, on each number of threads.
///
/// # Panics
///
/// Panics if the number of admitted calls differs from the expected one.
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
                // Criterion's statistics of a pass are unused: the report reads the samples.
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
    if cli::to_measure() {
        asked_for.unwrap_or(PASSES)
    } else {
        1
    }
}

/// Measures the wall-clock time of a number of rounds on each of several concurrent threads.
///
/// The time is from the start of the first thread to the end of the last. Threads that do not
/// overlap thus do not appear to run without contention. Several threads run at least [`FEWEST`]
/// rounds; otherwise the result would be the time to start the threads.
fn time(contender: &Contender, rounds: u64, threads: usize) -> Duration {
    let barrier = Barrier::new(threads);
    let made = if threads == 1 {
        rounds
    } else {
        rounds.max(FEWEST)
    };
    let run = || {
        // Do the one-time initialization of a thread before the measurement.
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

//! Samples of all passes, read from criterion's output.

use std::{
    collections::BTreeMap,
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use serde_json::Value;

/// The bare call, in each group that has one.
pub(crate) const BARE: &str = "bare call";
/// Resolution in nanoseconds: smaller differences count as zero.
pub(crate) const RESOLUTION: f64 = 0.2;
/// Difference from the bare call below which a measurement was disturbed by other load.
pub(crate) const DISTURBED: f64 = -0.5;
/// Upper bound on the length of a run: samples farther apart belong to different runs.
const ONE_RUN: Duration = Duration::from_hours(2);

/// Nanoseconds of each round, by group, name and threads.
#[derive(Debug, Default)]
pub(crate) struct Samples(BTreeMap<(String, String, usize), Vec<f64>>);

impl Samples {
    /// Reads the samples.
    pub(crate) fn read(criterion: &Path) -> io::Result<Self> {
        let mut samples = Self::default();
        let mut written = Vec::new();
        for group in folders(criterion)? {
            for name in folders(&group)? {
                for threads in folders(&name)? {
                    for pass in folders(&threads)? {
                        let sample = pass.join("sample.json");
                        if pass.ends_with("new") || !sample.exists() {
                            continue;
                        }
                        written.push(fs::metadata(&sample)?.modified()?);
                        samples.add(&json(&pass.join("benchmark.json"))?, &json(&sample)?);
                    }
                }
            }
        }
        check_one_run(&written)?;
        Ok(samples)
    }

    fn add(&mut self, of: &Value, sample: &Value) {
        let text = |key: &str| of[key].as_str().unwrap_or_default().to_owned();
        let threads = text("value_str").parse().unwrap_or(1);
        let numbers = |key: &str| {
            let numbers = sample[key].as_array().into_iter().flatten();
            numbers.filter_map(Value::as_f64).collect::<Vec<_>>()
        };
        let each = numbers("times")
            .into_iter()
            .zip(numbers("iters"))
            .map(|(time, rounds)| time / rounds);
        let key = (text("group_id"), text("function_id"), threads);
        self.0.entry(key).or_default().extend(each);
    }

    /// Returns the time of a round: with one thread the best sample, which is the least disturbed
    /// one. With several threads it is the median, since their contention is the subject of the
    /// measurement.
    pub(crate) fn time(&self, group: &str, name: &str, threads: usize) -> Option<f64> {
        let samples = self.0.get(&(group.into(), name.into(), threads))?;
        let mut samples = samples.clone();
        samples.sort_by(f64::total_cmp);
        let index = if threads == 1 { 0 } else { samples.len() / 2 };
        samples.get(index).copied()
    }

    /// Returns the time added to the bare call of the group.
    pub(crate) fn added(&self, group: &str, name: &str, threads: usize) -> Option<f64> {
        Some(self.time(group, name, threads)? - self.time(group, BARE, threads)?)
    }

    /// Returns the contenders of a group, sorted by their time with one thread.
    pub(crate) fn names(&self, group: &str) -> Vec<&str> {
        let of_group = self.0.keys().filter(|(of, ..)| of == group);
        let mut names: Vec<_> = of_group.map(|(_, name, _)| name.as_str()).collect();
        names.dedup();
        names.sort_by(|a, b| {
            let time = |name| self.time(group, name, 1).unwrap_or(f64::INFINITY);
            time(a).total_cmp(&time(b))
        });
        names
    }

    /// Returns the numbers of threads on which a group was measured.
    pub(crate) fn threads(&self, group: &str) -> Vec<usize> {
        let of_group = self.0.keys().filter(|(of, ..)| of == group);
        let mut threads: Vec<_> = of_group.map(|(_, _, threads)| *threads).collect();
        threads.sort_unstable();
        threads.dedup();
        threads
    }

    /// Returns the smallest number of samples of any figure.
    pub(crate) fn fewest(&self) -> usize {
        self.0.values().map(Vec::len).min().unwrap_or(0)
    }
}

/// Returns true if a contender is neither cutout nor a baseline.
pub(crate) fn is_rival(name: &str) -> bool {
    [
        "failsafe",
        "recloser",
        "circuitbreaker-rs",
        "breaker-machines",
        "seatbelt",
        "tower-resilience",
    ]
    .iter()
    .any(|rival| name.starts_with(rival))
}

fn folders(of: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    let entries = fs::read_dir(of)?.collect::<io::Result<Vec<_>>>()?;
    let paths = entries.into_iter().map(|entry| entry.path());
    Ok(paths.filter(|path| path.is_dir()).collect())
}

fn json(path: &Path) -> io::Result<Value> {
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}

fn check_one_run(written: &[SystemTime]) -> io::Result<()> {
    let (Some(first), Some(last)) = (written.iter().min(), written.iter().max()) else {
        return Err(io::Error::other("criterion has measured nothing yet"));
    };
    if last.duration_since(*first).unwrap_or_default() > ONE_RUN {
        return Err(io::Error::other(
            "found samples of several runs: remove target/criterion and measure again",
        ));
    }
    Ok(())
}

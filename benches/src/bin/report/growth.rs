//! Tables and charts of how costs grow.

use std::fmt::Write as _;

use benches::{
    dependency::Path,
    growth::{BREAKERS, LINE, PATHS, threads_group, window_names, windows_group},
    keyed,
    subjects::{CutoutDefault, FailsafeInARow, RecloserOfLast, Subject},
};

use crate::{
    lines::{Lines, Series},
    samples::Samples,
    tables::nanos,
};

pub(crate) const THREADS_TITLE: &str = "Time added to a call, by threads sharing a breaker";
pub(crate) const BREAKERS_TITLE: &str = "Time of a call through one of many breakers";
pub(crate) const KEYS_TITLE: &str = "Time to look up the breaker of a key";

/// All charts, by their names.
pub(crate) fn charts(samples: &Samples) -> Vec<(&'static str, Lines)> {
    vec![
        (
            "by-threads",
            Lines {
                title: THREADS_TITLE.into(),
                number: "threads, on 2 cores",
                unit: "ns added",
                series: by_threads(samples),
            },
        ),
        (
            "by-breakers",
            Lines {
                title: BREAKERS_TITLE.into(),
                number: "breakers",
                unit: "ns",
                series: by_breakers(samples),
            },
        ),
        (
            "by-keys",
            Lines {
                title: KEYS_TITLE.into(),
                number: "keys",
                unit: "ns",
                series: by_keys(samples),
            },
        ),
    ]
}

/// A line for each path of cutout, and of the rival that is fastest with two threads.
fn by_threads(samples: &Samples) -> Vec<Series> {
    let rivals = [FailsafeInARow::NAME, RecloserOfLast::NAME];
    let mut all = Vec::new();
    for path in PATHS {
        let group = threads_group(path);
        let series = |name: &str| Series {
            name: format!("{}, {}", short(name), brief(path)),
            points: points(&samples.threads(&group), |threads| {
                samples.added(&group, name, threads)
            }),
        };
        let time = |name: &&str| samples.time(&group, name, 2).unwrap_or(f64::INFINITY);
        let fastest = rivals
            .into_iter()
            .min_by(|a, b| time(a).total_cmp(&time(b)));
        all.push(series(CutoutDefault::NAME));
        all.extend(fastest.map(series));
    }
    all
}

/// A line for each path, and for the load of a cache line in the place of each breaker.
fn by_breakers(samples: &Samples) -> Vec<Series> {
    let names = rows_of_breakers();
    let numbers = numbers(samples);
    let series = names.map(|name| Series {
        points: points(&numbers, |number| {
            samples.time(BREAKERS, &format!("{name}, {number}"), 1)
        }),
        name,
    });
    series.into()
}

/// A line for each map.
fn by_keys(samples: &Samples) -> Vec<Series> {
    let series = [keyed::SET, keyed::MAP, keyed::MUTEX].map(|name| Series {
        points: points(keyed::sizes(), |size| {
            samples.time(&keyed::lookups_group("u64", size), name, 1)
        }),
        name: name.into(),
    });
    series.into()
}

fn rows_of_breakers() -> [String; 4] {
    let ours = |path: Path| format!("cutout, {}", path.title());
    let [healthy, failing, rejected] = PATHS.map(ours);
    [LINE.into(), healthy, failing, rejected]
}

/// The numbers of breakers that were measured.
fn numbers(samples: &Samples) -> Vec<usize> {
    let names = samples.names(BREAKERS).into_iter();
    let mut numbers: Vec<usize> = names
        .filter_map(|name| name.rsplit_once(", ")?.1.parse().ok())
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn points(numbers: &[usize], value: impl Fn(usize) -> Option<f64>) -> Vec<(f64, f64)> {
    let point = |number: &usize| {
        let x = f64::from(u32::try_from(*number).ok()?);
        Some((x, value(*number)?))
    };
    numbers.iter().filter_map(point).collect()
}

/// The name of a subject without its policy.
fn short(name: &str) -> &str {
    name.split(',').next().unwrap_or(name)
}

fn brief(path: Path) -> &'static str {
    match path {
        Path::OneInTenFails => "1 in 10 fails",
        path => path.title(),
    }
}

/// Table of the time of a call, by the number of breakers.
pub(crate) fn breakers(samples: &Samples) -> String {
    let numbers = numbers(samples);
    let mut table = String::from("| ns |");
    for number in &numbers {
        let s = if *number == 1 { "" } else { "s" };
        let _ = write!(table, " {number} breaker{s} |");
    }
    table += "\n|---|";
    table += &"---:|".repeat(numbers.len());
    for row in rows_of_breakers() {
        let _ = write!(table, "\n| {row} |");
        for number in &numbers {
            let time = samples.time(BREAKERS, &format!("{row}, {number}"), 1);
            let _ = write!(table, " {} |", time.map_or_else(|| "–".into(), nanos));
        }
    }
    table
}

/// Table of the time that is added to a call, by the size of the window.
pub(crate) fn windows(samples: &Samples) -> String {
    let paths = [Path::Healthy, Path::OneInTenFails];
    let mut table = String::from("| ns added |");
    for path in paths {
        let _ = write!(table, " {} |", path.title());
    }
    table += "\n|---|---:|---:|";
    for name in window_names() {
        let _ = write!(table, "\n| `{name}` |");
        for path in paths {
            let added = samples.added(&windows_group(path), &name, 1);
            let _ = write!(table, " {} |", added.map_or_else(|| "–".into(), nanos));
        }
    }
    table
}

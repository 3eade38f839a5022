//! The tables.

use std::fmt::Write as _;

use benches::subjects::{Subject, Visitor, visit_all};
use serde_json::Value;

use crate::samples::{BARE, RESOLUTION, Samples};

/// Nanoseconds, or that there is nothing to be told from nothing.
pub(crate) fn nanos(time: f64) -> String {
    if time < RESOLUTION {
        format!("< {RESOLUTION}")
    } else if time < 99.95 {
        format!("{time:.1}")
    } else {
        format!("{time:.0}")
    }
}

/// How many times one is the other. What is too small to be told from nothing counts as that much, so that the
/// ratio is rather too small.
pub(crate) fn ratio(of: f64, to: f64) -> f64 {
    of.max(RESOLUTION) / to.max(RESOLUTION)
}

/// A ratio as it is written.
pub(crate) fn times(ratio: f64) -> String {
    if ratio < 9.95 {
        format!("{ratio:.1} ×")
    } else {
        format!("{ratio:.0} ×")
    }
}

/// What each adds to the bare call, and how many times what `ours` adds.
pub(crate) fn added(samples: &Samples, group: &str, ours: &str) -> String {
    table(samples, group, ours, |name, threads| {
        let added = samples.added(group, name, threads)?;
        Some((added, samples.time(group, name, threads)?))
    })
}

/// What each takes, where there is no call to be added to.
pub(crate) fn taken(samples: &Samples, group: &str, ours: &str) -> String {
    table(samples, group, ours, |name, threads| {
        let time = samples.time(group, name, threads)?;
        Some((time, time))
    })
}

/// One row for each name; for each number of threads what counts, and its ratio to that of `ours`.
fn table(
    samples: &Samples,
    group: &str,
    ours: &str,
    of: impl Fn(&str, usize) -> Option<(f64, f64)>,
) -> String {
    let threads = samples.threads(group);
    let mut table = String::from("| |");
    for threads in &threads {
        let s = if *threads == 1 { "" } else { "s" };
        let _ = write!(table, " {threads} thread{s}: ns | adds | × |");
    }
    table += "\n|---|";
    table += &"---:|---:|---:|".repeat(threads.len());
    for name in samples.names(group) {
        let bold = if name.starts_with("cutout") { "**" } else { "" };
        let _ = write!(table, "\n| {bold}{name}{bold} |");
        for &threads in &threads {
            let Some((counted, time)) = of(name, threads) else {
                table += " – | – | – |";
                continue;
            };
            let reference = of(ours, threads).map_or(f64::NAN, |(counted, _)| counted);
            let is_bare = name == BARE && counted == 0.0;
            let (added, times) = if is_bare {
                ("–".into(), "–".into())
            } else {
                (nanos(counted), times(ratio(counted, reference)))
            };
            let _ = write!(table, " {} | {added} | {times} |", nanos(time));
        }
    }
    table
}

/// The time of each, and nothing else.
pub(crate) fn times_of(samples: &Samples, group: &str) -> String {
    let threads = samples.threads(group);
    let mut table = String::from("| |");
    for threads in &threads {
        let s = if *threads == 1 { "" } else { "s" };
        let _ = write!(table, " {threads} thread{s}: ns |");
    }
    table += "\n|---|";
    table += &"---:|".repeat(threads.len());
    for name in samples.names(group) {
        let _ = write!(table, "\n| {name} |");
        for &threads in &threads {
            let time = samples.time(group, name, threads);
            let _ = write!(table, " {} |", time.map_or("–".into(), nanos));
        }
    }
    table
}

/// What breakers take of memory.
pub(crate) fn sizes(memory: &Value) -> String {
    let mut table = String::from(
        "| | itself, B | on the heap when built, B | in blocks | on the heap after 10 000 calls, B | a million of them, MB |\n|---|---:|---:|---:|---:|---:|",
    );
    for (name, size) in memory["sizes"].as_object().into_iter().flatten() {
        let million = size["million"].as_f64();
        let million = million.map_or("–".into(), |bytes| format!("{:.0}", bytes / 1e6));
        let _ = write!(
            table,
            "\n| {name} | {} | {} | {} | {} | {million} |",
            size["size"], size["heap"], size["blocks"], size["used"],
        );
    }
    table
}

/// What rounds allocate, where any does.
pub(crate) fn allocations(memory: &Value) -> String {
    let mut table = String::from(
        "| | | allocations each | bytes each | not freed, bytes each |\n|---|---|---:|---:|---:|",
    );
    let mut none = Vec::new();
    for (group, rounds) in memory["rounds"].as_object().into_iter().flatten() {
        let mut any = false;
        for (name, each) in rounds.as_object().into_iter().flatten() {
            let number = |key: &str| each[key].as_f64().unwrap_or(f64::NAN);
            if number("allocations") > 0.0 {
                any = true;
                let _ = write!(
                    table,
                    "\n| {group} | {name} | {} | {} | {} |",
                    short(number("allocations")),
                    short(number("bytes")),
                    short(number("left")),
                );
            }
        }
        if !any {
            none.push(group.as_str());
        }
    }
    let _ = write!(
        table,
        "\n\nNobody else allocates there; nobody at all where: {}.",
        none.join("; ")
    );
    table
}

/// At most three digits after the point, and no zeros.
fn short(number: f64) -> String {
    let long = format!("{number:.3}");
    long.trim_end_matches('0').trim_end_matches('.').into()
}

/// The first trips of a process.
pub(crate) fn first_trips(trips: &Value) -> String {
    let mut rows: Vec<_> = trips.as_object().into_iter().flatten().collect();
    rows.sort_by_key(|(_, nanos)| nanos.as_u64());
    let mut table = String::from("| | µs |\n|---|---:|");
    for (name, nanos) in rows {
        let micros = nanos.as_f64().unwrap_or(f64::NAN) / 1e3;
        let _ = write!(table, "\n| {name} | {micros:.1} |");
    }
    table
}

/// Instructions by name and path, less those of the bare call.
pub(crate) fn instructions(text: &str, groups: &[&str]) -> String {
    let counts: Vec<(&str, &str, f64)> = text
        .lines()
        .filter_map(|line| {
            let mut parts = line.trim().splitn(2, "  ");
            let count = parts.next()?.trim().parse().ok()?;
            let (group, name) = parts.next()?.trim().split_once(" | ")?;
            Some((group, name, count))
        })
        .collect();
    let count = |group: &str, name: &str| {
        let found = counts.iter().find(|(g, n, _)| *g == group && *n == name);
        found.map(|(_, _, count)| *count)
    };
    let mut names: Vec<_> = counts
        .iter()
        .filter(|(group, ..)| *group == groups[0])
        .map(|(_, name, count)| (*name, *count))
        .collect();
    names.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let mut table = format!(
        "| | {} |\n|---|{}",
        groups.join(" | "),
        "---:|".repeat(groups.len())
    );
    for (name, _) in names {
        let _ = write!(table, "\n| {name} |");
        for group in groups {
            let count = count(group, name).map_or("–".into(), |count| format!("{count:.1}"));
            let _ = write!(table, " {count} |");
        }
    }
    table
}

/// Each subject's policy, and why.
pub(crate) fn policies() -> String {
    struct Policies(String);
    impl Visitor for Policies {
        fn visit<S: Subject>(&mut self) {
            let _ = write!(self.0, "\n| {} | {} |", S::NAME, S::POLICY);
        }
    }
    let mut policies = Policies("| name | policy |\n|---|---|".into());
    visit_all(&mut policies);
    policies.0
}

/// What the main README shows: added nanoseconds, with one thread and with two.
pub(crate) fn summary(samples: &Samples) -> String {
    let names = [
        "cutout, default",
        "by hand, 5 in a row",
        "recloser, 50 % of 20",
        "failsafe, 5 in a row",
        "circuitbreaker-rs, default",
        "breaker-machines, 50 % in 10 s",
    ];
    let mut table = String::from(
        "| ns, 1 thread / 2 threads | a healthy call adds | one call in ten fails: adds | a rejected call takes |\n|---|---:|---:|---:|",
    );
    let pair = |of: &dyn Fn(usize) -> Option<f64>| {
        let written = |threads| of(threads).map_or("–".into(), nanos);
        format!("{} / {}", written(1), written(2))
    };
    for name in names {
        let healthy = pair(&|threads| samples.added("healthy", name, threads));
        let failing = pair(&|threads| samples.added("one in ten fails", name, threads));
        let rejected = pair(&|threads| samples.time("rejected", name, threads));
        let _ = write!(table, "\n| {name} | {healthy} | {failing} | {rejected} |");
    }
    table
}

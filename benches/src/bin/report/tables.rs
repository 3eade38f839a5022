//! Tables of the page.

use std::fmt::Write as _;

use benches::{
    keyed::{self, Key, inserts_group, lookups_group},
    shapes,
    subjects::{Subject, Visitor, visit_all},
};
use serde_json::Value;

use crate::samples::{BARE, DISTURBED, RESOLUTION, Samples};

/// Formats nanoseconds, or a bound if they are below the resolution.
pub(crate) fn nanos(time: f64) -> String {
    if time < DISTURBED {
        "disturbed".into()
    } else if time < RESOLUTION {
        format!("< {RESOLUTION}")
    } else if time < 99.95 {
        format!("{time:.1}")
    } else {
        format!("{time:.0}")
    }
}

/// Returns the ratio of two times. A time below the resolution counts as the resolution, so that
/// the ratio is an underestimate. A disturbed time gives a NaN, which meets no requirement.
pub(crate) fn ratio(of: f64, to: f64) -> f64 {
    if of < DISTURBED || to < DISTURBED {
        f64::NAN
    } else {
        of.max(RESOLUTION) / to.max(RESOLUTION)
    }
}

/// Formats a ratio.
pub(crate) fn times(ratio: f64) -> String {
    if ratio.is_nan() {
        "–".into()
    } else if ratio < 9.95 {
        format!("{ratio:.1} ×")
    } else {
        format!("{ratio:.0} ×")
    }
}

/// Table of total time, time added to the bare call, and the ratio to the added time of `ours`.
pub(crate) fn added(samples: &Samples, group: &str, ours: &str) -> String {
    table(samples, group, &["ns", "adds", "×"], |name, threads| {
        let time = nanos(samples.time(group, name, threads)?);
        let added = samples.added(group, name, threads)?;
        if name == BARE {
            return Some(vec![time, "–".into(), "–".into()]);
        }
        let of_ours = samples.added(group, ours, threads)?;
        Some(vec![time, nanos(added), times(ratio(added, of_ours))])
    })
}

/// Table of total time without a bare call, and the ratio to the time of `ours`.
pub(crate) fn taken(samples: &Samples, group: &str, ours: &str) -> String {
    table(samples, group, &["ns", "×"], |name, threads| {
        let time = samples.time(group, name, threads)?;
        let of_ours = samples.time(group, ours, threads)?;
        Some(vec![nanos(time), times(ratio(time, of_ours))])
    })
}

/// Table of total time only.
pub(crate) fn times_of(samples: &Samples, group: &str) -> String {
    table(samples, group, &["ns"], |name, threads| {
        Some(vec![nanos(samples.time(group, name, threads)?)])
    })
}

/// Table with a row for each name, and with these columns for each number of threads.
fn table(
    samples: &Samples,
    group: &str,
    columns: &[&str],
    cells: impl Fn(&str, usize) -> Option<Vec<String>>,
) -> String {
    let threads = samples.threads(group);
    let mut table = String::from("| |");
    for threads in &threads {
        let s = if *threads == 1 { "" } else { "s" };
        let _ = write!(table, " {threads} thread{s}: {} |", columns.join(" | "));
    }
    table += "\n|---|";
    table += &"---:|".repeat(threads.len() * columns.len());
    for name in samples.names(group) {
        let bold = if name.starts_with("cutout") { "**" } else { "" };
        let _ = write!(table, "\n| {bold}{name}{bold} |");
        for threads in &threads {
            let none = || vec!["–".into(); columns.len()];
            let cells = cells(name, *threads).unwrap_or_else(none);
            let _ = write!(table, " {} |", cells.join(" | "));
        }
    }
    table
}

/// Table of the time that a breaker adds in each shape: cutout, and the fastest rival.
pub(crate) fn shapes(samples: &Samples) -> String {
    const THREADS: [usize; 2] = [1, 2];
    let mut table = String::from("| shape |");
    for threads in THREADS {
        let s = if threads == 1 { "" } else { "s" };
        let _ = write!(
            table,
            " {threads} thread{s}: bare call | cutout adds | failsafe | recloser | × |"
        );
    }
    table += "\n|---|";
    table += &"---:|".repeat(5 * THREADS.len());
    for (shape, _) in shapes::ALL {
        let group = shapes::group(shape);
        let _ = write!(table, "\n| {shape} |");
        for threads in THREADS {
            let bare = samples.time(&group, BARE, threads);
            let added = |name| samples.added(&group, name, threads).unwrap_or(f64::NAN);
            let ours = added("cutout, default");
            let rivals = ["failsafe, 5 in a row", "recloser, 50 % of 20"].map(added);
            let fastest = rivals[0].min(rivals[1]);
            let _ = write!(
                table,
                " {} | **{}** | {} | {} | {} |",
                nanos(bare.unwrap_or(f64::NAN)),
                nanos(ours),
                nanos(rivals[0]),
                nanos(rivals[1]),
                times(ratio(fastest, ours)),
            );
        }
    }
    table
}

/// Table of look-ups by key, with a column for each number of keys.
pub(crate) fn lookups(samples: &Samples) -> String {
    let mut table = format!("| ns | threads |{}", sizes_header());
    let mut rows = |kind: &str| {
        let groups = keyed::sizes().iter().map(|size| lookups_group(kind, *size));
        let groups: Vec<_> = groups.collect();
        for threads in samples.threads(&groups[0]) {
            for name in keyed::LOOKUPS {
                let mark = if name.starts_with(keyed::SET) {
                    "**"
                } else {
                    "`"
                };
                let _ = write!(table, "\n| {kind}: {mark}{name}{mark} | {threads} |");
                cells(&mut table, samples, &groups, name, threads);
            }
        }
    };
    rows(u64::NAME);
    rows(String::NAME);
    table
}

/// Table of insertions at the bound, with a column for each bound.
pub(crate) fn inserts(samples: &Samples) -> String {
    let mut table = format!("| ns | threads |{}", sizes_header());
    let groups = keyed::sizes().iter().map(|size| inserts_group(*size));
    let groups: Vec<_> = groups.collect();
    for name in [keyed::SET, keyed::BOUNDED] {
        let _ = write!(table, "\n| `{name}` | 1 |");
        cells(&mut table, samples, &groups, name, 1);
    }
    table
}

/// Columns of a table by number of keys, and the line below them.
fn sizes_header() -> String {
    let sizes = keyed::sizes();
    let columns = sizes.iter().map(|size| format!("{size} keys"));
    let columns = columns.collect::<Vec<_>>().join(" | ");
    format!(" {columns} |\n|---|---:|{}", "---:|".repeat(sizes.len()))
}

/// Cells with the time of a contender in each group.
fn cells(table: &mut String, samples: &Samples, groups: &[String], name: &str, threads: usize) {
    for group in groups {
        let time = samples.time(group, name, threads).map_or("–".into(), nanos);
        let _ = write!(table, " {time} |");
    }
}

/// Table of the longest insertions.
pub(crate) fn growth(growth: &Value) -> String {
    let mut table =
        String::from("| a million insertions | longest, ms | mean, ns |\n|---|---:|---:|");
    for (name, inserted) in growth.as_object().into_iter().flatten() {
        let worst = inserted["worst"].as_f64().unwrap_or(f64::NAN) / 1e6;
        let _ = write!(table, "\n| `{name}` | {worst:.1} | {} |", inserted["mean"]);
    }
    table
}

/// Table of the memory of breakers.
pub(crate) fn sizes(memory: &Value) -> String {
    let mut table = String::from(
        "| | size, B | heap when built, B | heap blocks | heap after 10 000 calls, B | a million breakers, MB |\n|---|---:|---:|---:|---:|---:|",
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

/// Table of allocations per round, without contenders that do not allocate.
pub(crate) fn allocations(memory: &Value) -> String {
    let mut table = String::from(
        "| group | contender | allocations each | bytes each | bytes not freed, each |\n|---|---|---:|---:|---:|",
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
        "\n\nNo other contender allocates in these groups.\n{}",
        wrapped(&format!("No contender allocates in: {}.", none.join("; "))),
    );
    table
}

/// Breaks a text into lines of at most 100 columns.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        if lines
            .last()
            .is_some_and(|line| line.len() + word.len() >= 100)
        {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// Formats with at most three decimals, without trailing zeros.
fn short(number: f64) -> String {
    let long = format!("{number:.3}");
    long.trim_end_matches('0').trim_end_matches('.').into()
}

/// Table of the first trips of a process.
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

/// Table of instructions by name and path.
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

/// Table of the policy of each subject.
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

/// Table for the main README: added nanoseconds with one thread and with two.
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
        "| ns, 1 thread / 2 threads | a healthy call in a function adds | inlined in a loop: adds | one call in ten fails: adds | a rejected call takes |\n|---|---:|---:|---:|---:|",
    );
    let pair = |of: &dyn Fn(usize) -> Option<f64>| {
        let written = |threads| of(threads).map_or("–".into(), nanos);
        format!("{} / {}", written(1), written(2))
    };
    let function = shapes::group(shapes::RETURNED);
    for name in names {
        let returned = pair(&|threads| samples.added(&function, name, threads));
        let healthy = pair(&|threads| samples.added("healthy", name, threads));
        let failing = pair(&|threads| samples.added("one in ten fails", name, threads));
        let rejected = pair(&|threads| samples.time("rejected", name, threads));
        let _ = write!(
            table,
            "\n| {name} | {returned} | {healthy} | {failing} | {rejected} |"
        );
    }
    table
}

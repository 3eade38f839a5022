//! Writes the results of the benches to `benches/README.md`, `benches/summary.md` and
//! `benches/charts/`.
//!
//! ```sh
//! cargo bench -p benches && cargo run --profile bench -p benches --bin report
//! ```
//!
//! `-- --to FOLDER` writes page, summary and charts to that folder instead of `benches/`.

mod chart;
mod growth;
mod lines;
mod machine;
mod page;
mod requirements;
mod samples;
mod tables;

use std::{error::Error, fs, path::PathBuf};

use benches::{
    cli,
    dependency::Path,
    growth::{BREAKERS, PATHS, threads_group},
    passes::SAMPLES,
    results, shapes,
};
use chart::{Chart, Row, THEMES};
use samples::{BARE, Samples};

const OURS: &str = "cutout, default";
const LAYER: &str = "cutout, layer over a static";
const RETURNED_TITLE: &str = "Time added to a function that returns Result";
const HEALTHY_TITLE: &str = "Time added to a healthy call inlined in a loop";

/// Groups whose tables show added time, each with the contender that the others are compared with.
const ADDED: [(&str, &str); 14] = [
    ("healthy", OURS),
    ("one in a thousand fails", OURS),
    ("one in a hundred fails", OURS),
    ("one in ten fails", OURS),
    ("nearly all fail, none trips", "cutout, 5 in a row"),
    ("trip and recover", OURS),
    ("async, healthy", OURS),
    ("tower, healthy", LAYER),
    ("windows, healthy", "cutout, 50 % within 10 s"),
    (
        "windows, one in a thousand fails",
        "cutout, 50 % within 10 s",
    ),
    (
        "windows, one in a hundred fails",
        "cutout, 50 % within 10 s",
    ),
    ("windows, one in ten fails", "cutout, 50 % within 10 s"),
    ("held as", "static"),
    ("listeners", "none"),
];
/// Groups in which no contender, or not every contender, makes calls: their tables show total time.
const TAKEN: [(&str, &str); 5] = [
    ("rejected", OURS),
    ("async, rejected", OURS),
    ("tower, rejected", LAYER),
    ("build and drop", OURS),
    ("shared or not", "healthy, one for all"),
];
/// Paths whose instructions the page shows; `instructions.txt` has all of them.
const COUNTED: [&str; 4] = [
    "healthy",
    "rejected",
    "one in ten fails",
    "trip and recover",
];

fn main() -> Result<(), Box<dyn Error>> {
    let samples = Samples::read(&results::target().join("criterion"))?;
    let memory = results::read("memory")?;
    let trips = results::read("first-trip")?;
    let insertions = results::read("keyed-growth")?;
    let instructions = fs::read_to_string(results::benches().join("instructions.txt"))?;
    let to = cli::value_of("--to").map_or_else(results::benches, PathBuf::from);

    fs::create_dir_all(to.join("charts"))?;
    for (name, chart) in charts(&samples) {
        for theme in THEMES {
            let path = to.join(format!("charts/{name}-{}.svg", theme.name));
            fs::write(path, chart.drawn(theme))?;
        }
    }

    for (name, lines) in growth::charts(&samples) {
        for theme in THEMES {
            let path = to.join(format!("charts/{name}-{}.svg", theme.name));
            fs::write(path, lines.drawn(theme)?)?;
        }
    }

    let template = fs::read_to_string(results::benches().join("README.md"))?;
    let mut page = page::replaced(&template, "machine", &about(&samples)?)?;
    page = page::replaced(
        &page,
        "requirements",
        &requirements::table(&samples, &memory),
    )?;
    page = page::replaced(&page, "shapes", &tables::shapes(&samples))?;
    for (group, ours) in ADDED {
        page = page::replaced(&page, group, &tables::added(&samples, group, ours))?;
    }
    for (group, ours) in TAKEN {
        page = page::replaced(&page, group, &tables::taken(&samples, group, ours))?;
    }
    for path in PATHS {
        let group = threads_group(path);
        let table = if path == Path::Rejected {
            tables::taken(&samples, &group, OURS)
        } else {
            tables::added(&samples, &group, OURS)
        };
        page = page::replaced(&page, &group, &table)?;
    }
    page = page::replaced(&page, BREAKERS, &growth::breakers(&samples))?;
    page = page::replaced(&page, "growth, windows", &growth::windows(&samples))?;
    page = page::replaced(&page, "hardware", &tables::times_of(&samples, "hardware"))?;
    page = page::replaced(&page, "first trip", &tables::first_trips(&trips))?;
    page = page::replaced(&page, "keyed", &tables::lookups(&samples))?;
    page = page::replaced(&page, "keyed, inserts", &tables::inserts(&samples))?;
    page = page::replaced(&page, "keyed, growth", &tables::growth(&insertions))?;
    page = page::replaced(&page, "sizes", &tables::sizes(&memory))?;
    page = page::replaced(&page, "allocations", &tables::allocations(&memory))?;
    page = page::replaced(&page, "policies", &tables::policies())?;
    let counted = tables::instructions(&instructions, &COUNTED);
    page = page::replaced(&page, "instructions", &counted)?;
    fs::write(to.join("README.md"), page)?;
    fs::write(to.join("summary.md"), summary(&samples)?)?;
    println!("{}", to.join("README.md").display());
    Ok(())
}

/// Describes machine, versions, date and samples.
fn about(samples: &Samples) -> Result<String, Box<dyn Error>> {
    Ok(format!(
        "{}* {} samples for each figure: {} passes of {SAMPLES}",
        machine::described()?,
        samples.fewest(),
        samples.fewest() / SAMPLES,
    ))
}

/// All charts, by their names.
fn charts(samples: &Samples) -> Vec<(&'static str, Chart)> {
    let added = |group: &str, title: &str| chart(samples, group, title, true);
    let taken = |group, title: &str| chart(samples, group, title, false);
    vec![
        (
            "function",
            added(&shapes::group(shapes::RETURNED), RETURNED_TITLE),
        ),
        ("healthy", added("healthy", HEALTHY_TITLE)),
        (
            "failing",
            added("one in ten fails", "Time added to a call, one in ten fails"),
        ),
        ("rejected", taken("rejected", "Time of a rejected call")),
        (
            "async",
            added("async, healthy", "Time added to a healthy async call"),
        ),
        (
            "windows",
            added(
                "windows, healthy",
                "Time added to a healthy call, by kind of window",
            ),
        ),
        (
            "cycle",
            added(
                "trip and recover",
                "Time added to the calls of a trip and a recovery",
            ),
        ),
    ]
}

/// Chart with a row for each contender except the bare call, fastest first. The bars are for one
/// thread and for two.
fn chart(samples: &Samples, group: &str, title: &str, added: bool) -> Chart {
    let threads = samples
        .threads(group)
        .into_iter()
        .filter(|threads| *threads <= 2);
    let threads: Vec<_> = threads.collect();
    let value = |name: &str, threads: usize| {
        let value = if added {
            samples.added(group, name, threads)
        } else {
            samples.time(group, name, threads)
        };
        value.unwrap_or(0.0)
    };
    let names = samples
        .names(group)
        .into_iter()
        .filter(|name| *name != BARE);
    let rows = names.map(|name| Row {
        name: name.into(),
        values: threads
            .iter()
            .map(|threads| value(name, *threads))
            .collect(),
    });
    let series = threads.iter().map(|threads| match threads {
        1 => "1 thread".into(),
        more => format!("{more} threads"),
    });
    Chart {
        title: title.into(),
        series: series.collect(),
        unit: "ns",
        rows: rows.collect(),
    }
}

/// Summary for the main README: a chart and a small table.
fn summary(samples: &Samples) -> Result<String, Box<dyn Error>> {
    Ok(format!(
        "{}\n\n{}\n\n{}",
        page::picture("benches/charts/function", RETURNED_TITLE),
        tables::summary(samples),
        machine::described()?,
    ))
}

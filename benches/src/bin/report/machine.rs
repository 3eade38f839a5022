//! Machine, versions and date of a measurement.

use std::{collections::BTreeMap, fs, io, process::Command};

use serde_json::Value;

/// Describes machine, versions and date as a list.
pub(crate) fn described() -> io::Result<String> {
    let cpu = of_file("/proc/cpuinfo", "model name\t: ");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(format!(
        "* {cpu}, {cores} cores; {kernel}\n* {rustc}\n* {crates}\n* {date}\n",
        kernel = output_of("uname", &["-srm"])?,
        rustc = output_of("rustc", &["--version"])?,
        crates = versions()?
            .chunks(3)
            .map(|line| line.join(", "))
            .collect::<Vec<_>>()
            .join(",\n  "),
        date = output_of("date", &["--utc", "+%Y-%m-%d %H:%M UTC"])?,
    ))
}

fn of_file(path: &str, key: &str) -> String {
    let file = fs::read_to_string(path).unwrap_or_default();
    let line = file.lines().find_map(|line| line.strip_prefix(key));
    line.unwrap_or("unknown").trim().into()
}

fn output_of(program: &str, arguments: &[&str]) -> io::Result<String> {
    let output = Command::new(program).args(arguments).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().into())
}

/// Returns the locked versions of the measured crates.
fn versions() -> io::Result<Vec<String>> {
    let metadata = output_of("cargo", &["metadata", "--format-version=1", "--locked"])?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let versions: BTreeMap<_, _> = packages
        .map(|package| (text(&package["name"]), text(&package["version"])))
        .collect();
    let named = |name: &&str| Some(format!("{name} {}", versions.get(*name)?));
    Ok([
        "cutout",
        "failsafe",
        "recloser",
        "circuitbreaker-rs",
        "breaker-machines",
        "tower-resilience-circuitbreaker",
        "seatbelt",
        "quanta",
        "parking_lot",
        "criterion",
    ]
    .iter()
    .filter_map(named)
    .collect())
}

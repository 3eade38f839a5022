//! Costs that `docs/design.md` §7 requires, row by row, with the measured costs.

use std::fmt::Write as _;

use benches::{
    keyed::{self, Key, lookups_group},
    shapes,
};
use serde_json::Value;

use crate::{
    samples::{DISTURBED, Samples, is_rival},
    tables::{nanos, ratio, times},
};

/// In-word trips, measured on each path.
const IN_WORD: [&str; 3] = [
    "cutout, default",
    "cutout, 5 in a row",
    "cutout, 50 % of 20",
];
const OURS: &str = "cutout, default";
/// Shapes whose result is returned in registers.
const IN_REGISTERS: [&str; 3] = [
    "inlined, kept",
    shapes::RETURNED,
    "function, unit error, checked",
];
/// Shapes whose result is returned through memory.
const IN_MEMORY: [&str; 5] = [
    "function, io error, kept",
    "function, io error, checked",
    "function, 64 bytes, kept",
    "function, boxed error, kept",
    "function, boxed error, checked",
];
/// Trips with a window of a thousand calls.
const LONG: [&str; 2] = ["cutout, 50 % of 1000", "cutout, 900 of 1000"];
const OVER_TIME: &str = "cutout, 50 % within 10 s";
const TOWER_RESILIENCE: &str = "tower-resilience, 5 in a row";
const SEATBELT: &str = "seatbelt, 50 % in 10 s";
/// Smallest significant difference of two figures of one run.
const NOISE: f64 = 0.5;
/// Largest ratio of two threads to one that counts as flat: a median to a best sample.
const FLAT: f64 = 1.5;
const MEBIBYTE: f64 = 1_048_576.0;

struct Requirement {
    path: &'static str,
    must: &'static str,
    reached: String,
    met: bool,
    bench: &'static str,
}

/// Builds the table of requirements.
pub(crate) fn table(samples: &Samples, memory: &Value) -> String {
    let measured = Measured { samples, memory };
    let mut requirements = measured.healthy();
    requirements.extend(measured.rejected());
    requirements.extend(measured.failing());
    requirements.extend(measured.over_time());
    requirements.extend(measured.asynchronous());
    requirements.extend(measured.keyed());
    requirements.extend(measured.sizes());
    let mut table =
        String::from("| path | requirement | measured | | bench |\n|---|---|---|---|---|");
    for requirement in requirements {
        let met = if requirement.met {
            "met"
        } else {
            "**not met**"
        };
        let Requirement {
            path,
            must,
            reached,
            bench,
            ..
        } = requirement;
        let _ = write!(
            table,
            "\n| {path} | {must} | {reached} | {met} | `{bench}` |"
        );
    }
    table
}

struct Measured<'a> {
    samples: &'a Samples,
    memory: &'a Value,
}

impl Measured<'_> {
    fn healthy(&self) -> Vec<Requirement> {
        let (registers, other) = (
            "healthy call, result in two registers",
            "healthy call, any other result",
        );
        let (bench, listeners) = ("shapes", "listeners");
        let most = |shapes: &[&str], threads| {
            let mut added = shapes.iter().map(|shape| {
                let group = shapes::group(shape);
                self.samples.added(&group, OURS, threads)
            });
            added.try_fold(f64::NEG_INFINITY, |most, added| Some(most.max(added?)))
        };
        let at_most = |threads, bound: f64| {
            let added = most(&IN_REGISTERS, threads)?;
            let reached = format!("{} ns, maximum of the shapes", nanos(added));
            Some((reached, (DISTURBED..=bound).contains(&added)))
        };
        // The shape in which the lead is smallest.
        let least = |shapes: &[&str], threads, must: f64| {
            let mut all = Vec::new();
            for shape in shapes {
                let group = shapes::group(shape);
                let ours = self.samples.added(&group, OURS, threads)?;
                let (rival, rivals) = self.fastest_added(&group, threads)?;
                let reached = format!(
                    "{} ({} to {} ns, {rival}; {shape})",
                    times(ratio(rivals, ours)),
                    nanos(ours),
                    nanos(rivals),
                );
                all.push((ratio(rivals, ours), reached));
            }
            let (least, reached) = all.into_iter().min_by(|(a, _), (b, _)| a.total_cmp(b))?;
            Some((reached, least >= must))
        };
        let counted = |threads| {
            let added = self.samples.added(listeners, "calls counted", threads)?;
            Some((format!("{} ns", nanos(added)), added <= 5.0))
        };
        let monitored = || {
            let with = self.samples.time(listeners, "a listener", 1)?;
            let without = self.samples.time(listeners, "none", 1)?;
            let reached = format!("{} ns, {} without", nanos(with), nanos(without));
            Some((reached, with - without <= NOISE))
        };
        vec![
            requirement(registers, "adds at most 3 ns", bench, at_most(1, 3.0)),
            requirement(
                registers,
                "the same under two threads",
                bench,
                at_most(2, 3.0),
            ),
            requirement(
                registers,
                "adds at least 5 × less than the fastest rival",
                bench,
                least(&IN_REGISTERS, 1, 5.0),
            ),
            requirement(
                registers,
                "the same under two threads",
                bench,
                least(&IN_REGISTERS, 2, 5.0),
            ),
            requirement(
                other,
                "adds less than every rival",
                bench,
                least(&IN_MEMORY, 1, 1.0),
            ),
            requirement(
                other,
                "the same under two threads",
                bench,
                least(&IN_MEMORY, 2, 1.0),
            ),
            requirement(
                "healthy call, with a listener",
                "no more than without one",
                "sharing",
                monitored(),
            ),
            requirement(
                "healthy call, every call counted",
                "adds at most 5 ns",
                "sharing",
                counted(1),
            ),
            requirement(
                "healthy call, every call counted",
                "the same under two threads",
                "sharing",
                counted(2),
            ),
        ]
    }

    fn rejected(&self) -> Vec<Requirement> {
        let (group, path, bench) = ("rejected", "rejected call", "calls");
        let clock = || {
            let time = self.most(group, &IN_WORD, 1)?;
            let clock = self.samples.time(group, "one raw clock read", 1)?;
            let reached = format!(
                "{:.2} × ({} of {} ns)",
                time / clock,
                nanos(time),
                nanos(clock)
            );
            Some((reached, time <= 1.10 * clock))
        };
        let faster = |threads| {
            let time = self.most(group, &IN_WORD, threads)?;
            let (rival, rivals) = self.fastest(group, |s, name| s.time(group, name, threads))?;
            let reached = format!("{} ({rival})", times(rivals / time));
            Some((reached, rivals >= 2.0 * time))
        };
        vec![
            requirement(path, "at most 1.10 × one raw clock read", bench, clock()),
            requirement(
                path,
                "at least 2 × faster than the fastest rival",
                bench,
                faster(1),
            ),
            requirement(path, "the same under two threads", bench, faster(2)),
        ]
    }

    fn failing(&self) -> Vec<Requirement> {
        let (tenth, path, bench) = (
            "one in ten fails",
            "one call in ten fails, in-word",
            "calls",
        );
        let (hundredth, long, windows) = (
            "windows, one in a hundred fails",
            "one in a hundred fails, n = 1000",
            "windows",
        );
        vec![
            requirement(
                path,
                "faster than the fastest rival",
                bench,
                self.less_added(tenth, &IN_WORD, 1, 1.0),
            ),
            requirement(
                path,
                "the same under two threads",
                bench,
                self.less_added(tenth, &IN_WORD, 2, 1.0),
            ),
            requirement(
                long,
                "faster than the fastest rival",
                windows,
                self.less_added(hundredth, &LONG, 1, 1.0),
            ),
            requirement(
                long,
                "the same under two threads",
                windows,
                self.less_added(hundredth, &LONG, 2, 1.0),
            ),
            requirement(
                "trip and recover, 5 in a row as the rival",
                "no slower than the fastest rival",
                "lives",
                self.less_added("trip and recover", &["cutout, 5 in a row"], 1, 1.0),
            ),
            requirement(
                "trip and recover, any trip in the word",
                "no slower than the fastest rival",
                "lives",
                self.less_added("trip and recover", &IN_WORD, 1, 1.0),
            ),
        ]
    }

    fn over_time(&self) -> Vec<Requirement> {
        let (group, path, bench) = (
            "windows, healthy",
            "healthy call, `percent.within(T)`",
            "windows",
        );
        let against = |threads, must: f64| {
            let ours = self.samples.added(group, OVER_TIME, threads)?;
            let rate = self
                .samples
                .added(group, "failsafe, 50 % over 10 s", threads)?;
            let times_less = ratio(rate, ours);
            Some((
                format!("{} ({} ns)", times(times_less), nanos(ours)),
                times_less >= must,
            ))
        };
        vec![
            requirement(
                path,
                "at least 3 × faster than failsafe's rate policy",
                bench,
                against(1, 3.0),
            ),
            requirement(path, "4 × under two threads", bench, against(2, 4.0)),
            requirement(
                path,
                "adds at most 4 ns",
                bench,
                self.samples.added(group, OVER_TIME, 1).map(|added| {
                    (
                        format!("{} ns", nanos(added)),
                        (DISTURBED..=4.0).contains(&added),
                    )
                }),
            ),
        ]
    }

    fn asynchronous(&self) -> Vec<Requirement> {
        let (path, stack) = (
            "async healthy call",
            "healthy request, tower layer over a static",
        );
        let allocations = |group: &str, name: &str| {
            let each = self.memory["rounds"][group][name]["allocations"].as_f64()?;
            Some((format!("{each} a call"), each == 0.0))
        };
        let less = |group: &str, name: &str| {
            let ours = self.samples.added(group, name, 1)?;
            let rival = |name| self.samples.added("tower, healthy", name, 1);
            let (tower, seatbelt) = (rival(TOWER_RESILIENCE)?, rival(SEATBELT)?);
            let times_less = [ratio(tower, ours), ratio(seatbelt, ours)];
            let reached = times_less.map(times).join(" and ");
            Some((
                format!("{reached} ({} ns)", nanos(ours)),
                times_less.iter().all(|less| *less >= 10.0),
            ))
        };
        let (ours, layer) = ("cutout, default", "cutout, layer over a static");
        vec![
            requirement(
                path,
                "no allocation",
                "memory",
                allocations("async, healthy", ours),
            ),
            requirement(
                path,
                "at least 10 × faster than tower-resilience and seatbelt",
                "asynchronous",
                less("async, healthy", ours),
            ),
            requirement(
                stack,
                "no allocation",
                "memory",
                allocations("tower, healthy", layer),
            ),
            requirement(
                stack,
                "at least 10 × faster than tower-resilience and seatbelt",
                "tower",
                less("tower, healthy", layer),
            ),
        ]
    }

    fn keyed(&self) -> Vec<Requirement> {
        let (alone, called, bench) = ("look-up by key", "look-up by key, and call", "keyed");
        let name = |of: &str, suffix: &str| format!("{of}{suffix}");
        let groups = || {
            let sizes = keyed::sizes().iter();
            sizes.flat_map(|size| [u64::NAME, String::NAME].map(|kind| lookups_group(kind, *size)))
        };
        // The group in which the lead is smallest.
        let against_map = |suffix: &str| {
            let mut all = Vec::new();
            for group in groups() {
                let ours = self.samples.time(&group, &name(keyed::SET, suffix), 1)?;
                let map = self.samples.time(&group, &name(keyed::MAP, suffix), 1)?;
                let (ours_ns, map_ns) = (nanos(ours), nanos(map));
                let reached = format!("{:.2} × ({ours_ns} of {map_ns} ns; {group})", ours / map);
                all.push((ours / map, reached));
            }
            let (most, reached) = all.into_iter().max_by(|(a, _), (b, _)| a.total_cmp(b))?;
            Some((reached, most <= 1.0))
        };
        // The group in which a second thread costs most.
        let flat = |suffix: &str| {
            let mut all = Vec::new();
            for size in keyed::sizes() {
                let group = lookups_group(u64::NAME, *size);
                let time = |threads| {
                    let name = name(keyed::SET, suffix);
                    self.samples.time(&group, &name, threads)
                };
                let (one, two) = (time(1)?, time(2)?);
                let reached = format!(
                    "{:.1} × ({} of {} ns; {group})",
                    two / one,
                    nanos(two),
                    nanos(one)
                );
                all.push((two / one, reached));
            }
            let (most, reached) = all.into_iter().max_by(|(a, _), (b, _)| a.total_cmp(b))?;
            Some((reached, most <= FLAT))
        };
        let (no_slower, threads) = (
            "at most 1.00 × `RwLock<HashMap>`",
            "two threads at most 1.5 × one",
        );
        vec![
            requirement(alone, no_slower, bench, against_map("")),
            requirement(alone, threads, bench, flat("")),
            requirement(called, no_slower, bench, against_map(keyed::CALLED)),
            requirement(called, threads, bench, flat(keyed::CALLED)),
        ]
    }

    fn sizes(&self) -> Vec<Requirement> {
        let of = |key: &'static str| {
            let sizes = IN_WORD.map(|name| self.memory["sizes"][name][key].as_f64());
            sizes
                .into_iter()
                .try_fold(0.0_f64, |most, size| Some(most.max(size?)))
        };
        vec![
            requirement(
                "memory",
                "`size_of::<Breaker>() <= 256`",
                "memory",
                of("size").map(|size| (format!("{size} B"), size <= 256.0)),
            ),
            requirement(
                "memory",
                "no heap with in-word trips",
                "memory",
                of("used").map(|heap| (format!("{heap} B after 10 000 calls"), heap == 0.0)),
            ),
            requirement(
                "memory",
                "a million breakers in 256 MB",
                "memory",
                of("million").map(|bytes| {
                    (
                        format!("{:.1} MiB resident", bytes / MEBIBYTE),
                        bytes <= 256.0 * MEBIBYTE,
                    )
                }),
            ),
        ]
    }

    /// Returns the longest time of these contenders.
    fn most(&self, group: &str, ours: &[&str], threads: usize) -> Option<f64> {
        let mut times = ours
            .iter()
            .map(|name| self.samples.time(group, name, threads));
        times.try_fold(0.0_f64, |most, time| Some(most.max(time?)))
    }

    /// Returns the longest added time of these contenders.
    fn most_added(&self, group: &str, ours: &[&str], threads: usize) -> Option<f64> {
        let mut added = ours
            .iter()
            .map(|name| self.samples.added(group, name, threads));
        added.try_fold(f64::NEG_INFINITY, |most, added| Some(most.max(added?)))
    }

    /// Returns the ratio of the fastest rival's added time to the longest added time of cutout.
    fn less_added(
        &self,
        group: &str,
        ours: &[&str],
        threads: usize,
        must: f64,
    ) -> Option<(String, bool)> {
        let ours = self.most_added(group, ours, threads)?;
        let (rival, rivals) = self.fastest_added(group, threads)?;
        let times_less = ratio(rivals, ours);
        let reached = format!(
            "{} ({} to {} ns, {rival})",
            times(times_less),
            nanos(ours),
            nanos(rivals),
        );
        Some((reached, times_less >= must))
    }

    fn fastest_added(&self, group: &str, threads: usize) -> Option<(&str, f64)> {
        self.fastest(group, |samples, name| samples.added(group, name, threads))
    }

    /// Returns the rival with the smallest value, and that value.
    fn fastest(
        &self,
        group: &str,
        of: impl Fn(&Samples, &str) -> Option<f64>,
    ) -> Option<(&str, f64)> {
        let names = self.samples.names(group).into_iter();
        names
            .filter(|name| is_rival(name))
            .filter_map(|name| Some((name, of(self.samples, name)?)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b))
    }
}

fn requirement(
    path: &'static str,
    must: &'static str,
    bench: &'static str,
    measured: Option<(String, bool)>,
) -> Requirement {
    let (reached, met) = measured.unwrap_or(("not measured".into(), false));
    Requirement {
        path,
        must,
        reached,
        met,
        bench,
    }
}

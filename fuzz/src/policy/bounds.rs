//! Second implementation of the bounds that `cutout::Policy` documents.
//!
//! It lists all violations of a policy's fields, in no specified order.

use std::time::Duration;

use super::fields::{Cover, Dropped, Fields, Length, Number, Open, Part};

const MS: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_hours(24);
const MONTH: Duration = Duration::from_hours(30 * 24);
const YEAR: Duration = Duration::from_hours(365 * 24);

/// A violation of a bound.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) field: &'static str,
    bound: String,
    value: String,
}

impl Refusal {
    pub(super) fn message(&self) -> String {
        let Self {
            field,
            bound,
            value,
        } = self;
        format!("{field} must be {bound}, got {value}")
    }
}

/// Lists all violations.
pub(super) fn refusals(fields: &Fields) -> Vec<Refusal> {
    let mut list = List(Vec::new());
    list.trips(fields);
    list.open(fields.open);
    list.number("probes", fields.probes, 1, 63);
    list.number("probe_successes", fields.probe_successes, 1, 63);
    if let Some(lease) = fields.probe_lease {
        list.length("probe_lease", lease, 10 * MS, DAY);
    }
    if let Some(limit) = fields.slow_call {
        list.length_of_call("slow_call", limit, fields);
    }
    if let Some(Dropped::After(limit) | Dropped::ProbeAfter(limit)) = fields.on_drop {
        list.length_of_call("on_drop", limit, fields);
    }
    list.0
}

struct List(Vec<Refusal>);

impl List {
    fn refuse(&mut self, field: &'static str, bound: impl Into<String>, value: impl Into<String>) {
        self.0.push(Refusal {
            field,
            bound: bound.into(),
            value: value.into(),
        });
    }

    fn number(&mut self, field: &'static str, Number(value): Number, low: u32, high: u32) {
        if !(low..=high).contains(&value) {
            self.refuse(field, format!("{low} to {high}"), value.to_string());
        }
    }

    fn length(
        &mut self,
        field: &'static str,
        Length(value): Length,
        low: Duration,
        high: Duration,
    ) {
        if !(low..=high).contains(&value) {
            let bound = format!("{} to {}", written(low), written(high));
            self.refuse(field, bound, written(value));
        } else if value.subsec_nanos() % 1_000_000 != 0 {
            self.refuse(field, "whole milliseconds", written(value));
        }
    }

    /// Checks that a limit is at most the first probe lease.
    fn length_of_call(&mut self, field: &'static str, limit: Length, fields: &Fields) {
        let base = match fields.open {
            Open::For(Length(time))
            | Open::Backoff {
                base: Length(time), ..
            } => time,
        };
        let default = base.max(30_000 * MS);
        let lease = fields.probe_lease.map_or(default, |lease| lease.0).min(DAY);
        if (MS..=lease).contains(&limit.0) {
            self.length(field, limit, MS, lease);
        } else {
            let bound = format!("{} to {} (the probe_lease)", written(MS), written(lease));
            self.refuse(field, bound, written(limit.0));
        }
    }

    fn trips(&mut self, fields: &Fields) {
        let trips = &fields.trips;
        let parts = || [&trips.first].into_iter().chain(&trips.others);
        let runs: Vec<Number> = parts()
            .filter_map(|part| match part {
                Part::Run(n) => Some(*n),
                _ => None,
            })
            .collect();
        let windows: Vec<Part> = parts()
            .filter(|part| !matches!(part, Part::Run(_)))
            .copied()
            .collect();

        let rule = "consecutive, a window, or one of each";
        if runs.len() > 1 {
            self.refuse("trip", rule, "consecutive twice");
        }
        if windows.len() > 1 {
            self.refuse("trip", rule, "two windows");
        }
        if windows.is_empty() && trips.no_run {
            self.refuse("trip", rule, "neither");
        }
        // Only the last window and the last run are checked, since they replace earlier ones.
        if let Some(window) = windows.last() {
            self.window(*window);
        }
        if let Some(n) = runs.last().filter(|_| !trips.no_run) {
            let most = match windows.last() {
                Some(
                    Part::Failures(_, Cover::OfLast(n)) | Part::Percent(_, _, Cover::OfLast(n)),
                ) if n.0 <= 45 => 45,
                _ => 65_535,
            };
            self.number("consecutive", *n, 1, most);
        }
    }

    fn window(&mut self, window: Part) {
        match window {
            Part::Run(_) => {}
            Part::Failures(k, Cover::OfLast(n)) => {
                self.number("of_last", n, 1, 4_096);
                self.number("failures", k, 1, n.0);
            }
            Part::Failures(k, Cover::Within(time)) => {
                self.number("failures", k, 1, 1_024);
                self.length("within", time, 10 * MS, YEAR);
            }
            Part::Percent(percent, calls, cover) => {
                self.number("percent", percent, 1, 100);
                match cover {
                    Cover::OfLast(n) => {
                        self.number("of_last", n, 1, 4_096);
                        self.number("min_calls", calls.unwrap_or(n), 1, n.0);
                    }
                    Cover::Within(time) => {
                        self.number("min_calls", calls.unwrap_or(Number(20)), 1, 1_000_000);
                        self.length("within", time, 100 * MS, DAY);
                    }
                }
            }
        }
    }

    fn open(&mut self, open: Open) {
        match open {
            Open::For(time) => self.length("open_for", time, 10 * MS, MONTH),
            Open::Backoff {
                base,
                factor,
                cap,
                jitter,
                ..
            } => {
                // A constant interval is the one that `open_for` sets.
                let constant = factor.0 == 1 && base.0 == cap.0;
                let field = if constant { "open_for" } else { "base" };
                self.length(field, base, 10 * MS, MONTH);
                self.number("factor", factor, 1, 100);
                self.length("cap", cap, base.0, MONTH);
                self.number("jitter", jitter, 0, 100);
            }
        }
    }
}

/// Formats a duration in its largest whole unit.
fn written(time: Duration) -> String {
    let nanos = time.as_nanos();
    let mut units = vec![(1, "ns")];
    for (times, name) in [
        (1_000, "us"),
        (1_000, "ms"),
        (1_000, "s"),
        (60, "m"),
        (60, "h"),
        (24, "d"),
    ] {
        units.push((units[units.len() - 1].0 * times, name));
    }
    if nanos == 0 {
        return "0ms".into();
    }
    let (unit, name) = units
        .into_iter()
        .rfind(|(unit, _)| nanos.is_multiple_of(*unit))
        .expect("whole nanoseconds");
    format!("{}{name}", nanos / unit)
}

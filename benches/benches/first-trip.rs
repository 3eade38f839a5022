//! Cost of the first trip of a process: failing calls until one is rejected, in a new process. Each
//! round starts a process for each breaker in turn. The breaker is built before the measurement.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    hint::black_box,
    process::Command,
    time::{Duration, Instant},
};

use benches::{
    cli,
    contender::trip,
    results,
    subjects::{Built, CutoutDefault, Subject, Visitor, visit_all},
};
use serde_json::json;

const ROUNDS: usize = 15;
const CHILD: &str = "--trip";
/// Name of the default breaker after `cutout::clock::warm_up()`.
const WARMED_UP: &str = "cutout, default, warmed up";

struct Names(Vec<&'static str>);

impl Visitor for Names {
    fn visit<S: Subject>(&mut self) {
        if S::CYCLE.is_some() {
            self.0.push(S::NAME);
        }
    }
}

struct Trip<'a>(&'a str);

impl Visitor for Trip<'_> {
    fn visit<S: Subject>(&mut self) {
        if S::NAME == self.0 {
            println!("{}", first_trip::<S>().as_nanos());
        }
    }
}

fn first_trip<S: Subject>() -> Duration {
    let breaker = black_box(S::build(Built::AsNamed));
    let start = Instant::now();
    trip(&breaker);
    start.elapsed()
}

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(name) = cli::value_of(CHILD) {
        if name == WARMED_UP {
            cutout::clock::warm_up();
            println!("{}", first_trip::<CutoutDefault>().as_nanos());
        }
        visit_all(&mut Trip(&name));
        return Ok(());
    }
    if !cli::for_bench("first trip") {
        return Ok(());
    }
    let mut names = Names(vec![WARMED_UP]);
    visit_all(&mut names);
    let mut times: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    let rounds = if cli::to_measure() { ROUNDS } else { 1 };
    for _ in 0..rounds {
        for name in &names.0 {
            let child = Command::new(env::current_exe()?)
                .args([CHILD, name])
                .output()?;
            let time = String::from_utf8(child.stdout)?.trim().parse()?;
            times.entry(name).or_default().push(time);
        }
    }
    for times in times.values_mut() {
        times.sort_unstable();
    }
    let medians = times
        .iter()
        .map(|(name, times)| (*name, times[times.len() / 2]));
    let medians: BTreeMap<_, _> = medians.collect();
    for (name, nanos) in &medians {
        println!("first trip, {name}: {nanos} ns");
    }
    if cli::to_measure() {
        results::write("first-trip", &json!(medians))?;
    }
    Ok(())
}

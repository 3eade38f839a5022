//! Memory of a breaker and allocations of its calls, counted by the allocator. For each breaker, a
//! separate process builds a million of them and reads its resident memory.

use std::{alloc::System, env, error::Error, fs, hint::black_box, process::Command};

use benches::{
    cli,
    contender::{make, succeed},
    contenders,
    dependency::Path,
    results,
    subjects::{Built, NoBreaker, Subject, Visitor, visit_all},
    tower::{TOWER_RESILIENCE, in_tower_resilience},
};
use serde_json::{Map, Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUNDS: u32 = 10_000;
const MILLION: u32 = 1_000_000;
const CHILD: &str = "--million";

/// Runs a closure and returns its allocations.
fn allocated<T>(by: impl FnOnce() -> T) -> (T, Stats) {
    let region = Region::new(ALLOCATOR);
    let done = by();
    let stats = region.change();
    (done, stats)
}

/// Average per round.
fn each(all: usize) -> f64 {
    f64::from(u32::try_from(all).unwrap_or(u32::MAX)) / f64::from(ROUNDS)
}

/// Bytes and blocks that are still allocated.
fn kept(stats: &Stats) -> (isize, isize) {
    (
        stats.bytes_allocated.cast_signed() - stats.bytes_deallocated.cast_signed(),
        stats.allocations.cast_signed() - stats.deallocations.cast_signed(),
    )
}

/// Allocations and unfreed bytes of each contender per round, after a number of rounds.
fn rounds() -> Value {
    let mut rounds = Map::new();
    for (group, contenders) in contenders::all() {
        let mut of_group = Map::new();
        for contender in contenders() {
            contender.run(u64::from(ROUNDS));
            let ((), stats) = allocated(|| contender.run(u64::from(ROUNDS)));
            let allocations = stats.allocations + stats.reallocations;
            let left = stats
                .bytes_allocated
                .saturating_sub(stats.bytes_deallocated);
            of_group.insert(
                contender.name().into(),
                json!({
                    "allocations": each(allocations),
                    "bytes": each(stats.bytes_allocated),
                    "left": each(left),
                }),
            );
        }
        rounds.insert(group, of_group.into());
    }
    rounds.into()
}

/// Memory of each breaker: its size, its heap when built, and its heap after a number of calls.
#[derive(Default)]
struct Sizes(Map<String, Value>);

impl Visitor for Sizes {
    fn visit<S: Subject>(&mut self) {
        if S::NAME == NoBreaker::NAME {
            return;
        }
        let (breaker, built) = allocated(|| S::build(Built::AsNamed));
        let calls = u64::from(ROUNDS);
        let (_, used) = allocated(|| make(Path::OneInTenFails, &breaker, calls, || ()));
        let (heap, blocks) = kept(&built);
        let (more, _) = kept(&used);
        let size = size_of::<S::Breaker>();
        self.0.insert(
            S::NAME.into(),
            json!({ "size": size, "heap": heap, "blocks": blocks, "used": heap + more }),
        );
    }
}

/// Memory of a layer and its service, which both contain the breaker.
fn of_tower_resilience() -> Value {
    let (service, built) = allocated(in_tower_resilience);
    let (heap, blocks) = kept(&built);
    json!({ "size": size_of_val(&service), "heap": heap, "blocks": blocks, "used": heap })
}

/// Builds a million breakers of one kind, each of which makes a call.
struct Million<'a>(&'a str);

impl Visitor for Million<'_> {
    fn visit<S: Subject>(&mut self) {
        if S::NAME == self.0 {
            let before = resident();
            let breakers: Vec<_> = (0..MILLION)
                .map(|_| {
                    let breaker = S::build(Built::AsNamed);
                    succeed(&breaker, 1);
                    breaker
                })
                .collect();
            println!("{}", resident() - before);
            black_box(breakers);
        }
    }
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kilobytes.unwrap_or(0) * 1024
}

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(name) = cli::value_of(CHILD) {
        visit_all(&mut Million(&name));
        return Ok(());
    }
    if !cli::for_bench("memory") {
        return Ok(());
    }
    let mut sizes = Sizes::default();
    visit_all(&mut sizes);
    let names: Vec<_> = sizes.0.keys().cloned().collect();
    sizes
        .0
        .insert(TOWER_RESILIENCE.into(), of_tower_resilience());
    let rounds = rounds();
    if !cli::to_measure() {
        return Ok(());
    }
    for name in names {
        let child = Command::new(env::current_exe()?)
            .args([CHILD, &name])
            .output()?;
        let bytes: u64 = String::from_utf8(child.stdout)?.trim().parse()?;
        sizes.0[&name]["million"] = bytes.into();
    }
    for (name, size) in &sizes.0 {
        println!("memory, {name}: {size}");
    }
    results::write("memory", &json!({ "sizes": sizes.0, "rounds": rounds }))?;
    Ok(())
}

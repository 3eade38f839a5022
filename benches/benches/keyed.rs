//! Cost of a breaker by key, beside maps under a lock: look-ups of present keys in random order,
//! insertions at the bound, and the longest insertion while a table grows.

use std::error::Error;

use benches::{
    cli,
    keyed::{self, Key, inserts_group, lookups_group},
    passes::measure,
    results,
};
use serde_json::{Map, json};

const GROWTH: &str = "keyed, growth";
const ROUNDS: usize = 5;

fn lookups<K: Key>(threads: &[usize]) {
    for &size in keyed::sizes() {
        let contenders = keyed::lookups::<K>(size);
        measure(&lookups_group(K::NAME, size), threads, contenders);
    }
}

fn growth() -> Result<(), Box<dyn Error>> {
    let to_measure = cli::to_measure();
    let (size, rounds) = if to_measure {
        (1_000_000, ROUNDS)
    } else {
        (1_000, 1)
    };
    let mut all = Map::new();
    for (name, inserted) in keyed::growth(size, rounds) {
        let (worst, mean) = (inserted.worst.as_nanos(), inserted.mean.as_nanos());
        println!("{GROWTH} of {size}, {name}: at most {worst} ns, mean {mean} ns");
        let [worst, mean] = [worst, mean].map(|nanos| u64::try_from(nanos).unwrap_or(u64::MAX));
        all.insert(name.into(), json!({ "worst": worst, "mean": mean }));
    }
    if to_measure {
        results::write("keyed-growth", &all.into())?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    cutout::clock::warm_up();
    lookups::<u64>(&[1, 2, 4]);
    lookups::<String>(&[1]);
    for &size in keyed::sizes() {
        measure(&inserts_group(size), &[1], || keyed::inserts(size));
    }
    if cli::for_bench(GROWTH) {
        growth()?;
    }
    Ok(())
}

//! The memory of a set of breakers is limited by its bound, not by the number of keys it is asked
//! for. A binary of its own, because it measures the memory of the whole process.
#![cfg(all(feature = "keyed", target_os = "linux"))]

use std::{env, fs, process::Command, thread, time::Duration};

use cutout::{Breaker, Trip, keyed::Breakers};

const BOUND: u32 = 1_000;
const MIB: usize = 1 << 20;

/// Memory of the process, in bytes: a field of `statm`.
fn memory(field: usize) -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(field).unwrap().parse().unwrap();
    pages * 4096
}

/// Resident memory of the process, in bytes.
fn resident() -> usize {
    memory(1)
}

/// Address space of the process, in bytes.
fn reserved() -> usize {
    memory(0)
}

/// A key such as an attacker sends.
fn hostile(number: u32) -> String {
    format!("{number}.hostile-tenant-with-a-name.example.com")
}

fn set() -> Breakers<String> {
    Breakers::builder().bound(BOUND).build()
}

fn a_million_keys_with_few_kept() {
    let breakers = set();
    let flood = |numbers: std::ops::Range<u32>| {
        for number in numbers {
            breakers
                .get(hostile(number).as_str())
                .call(|| Err::<(), _>("no such tenant"))
                .unwrap_err();
        }
    };
    flood(0..100_000);
    let before = resident();
    flood(100_000..1_000_000);
    let grown = resident().saturating_sub(before);
    assert_eq!(breakers.len(), BOUND as usize);
    assert!(grown < 8 * MIB, "900 000 keys took {grown} bytes");
}

fn keys_that_find_no_slot() {
    let breakers = set();
    for number in 0..BOUND {
        breakers.get(hostile(number).as_str()).force_open();
    }
    let before = resident();
    for number in BOUND..300_000 {
        breakers.get(hostile(number).as_str());
    }
    let grown = resident().saturating_sub(before);
    assert_eq!(breakers.len(), BOUND as usize);
    assert!(grown < 8 * MIB, "300 000 keys took {grown} bytes");
}

fn keys_that_are_inserted_and_removed() {
    let breakers = set();
    let churn = |numbers: std::ops::Range<u32>| {
        for number in numbers {
            breakers.get(hostile(number).as_str());
            breakers.remove(hostile(number).as_str()).unwrap();
        }
    };
    churn(0..10_000);
    let before = resident();
    churn(10_000..110_000);
    let grown = resident().saturating_sub(before);
    assert!(breakers.is_empty());
    assert!(grown < 8 * MIB, "100 000 keys took {grown} bytes");
}

/// Memory of one key, in bytes: the table in the docs of `Breakers` shows these values, rounded up.
struct Row {
    what: &'static str,
    each: cutout::Builder,
    listener: bool,
    fails: bool,
    at_most: usize,
}

/// The table.
fn table() -> [Row; 9] {
    const SPAN: Duration = Duration::from_secs(10);
    let row = |what, trip: Trip, listener, fails, at_most| Row {
        what,
        each: Breaker::builder().name("tenants").trip(trip),
        listener,
        fails,
        at_most,
    };
    let default = Breaker::new().policy().trip;
    let once = Trip::consecutive(1);
    let calls = Trip::failures(10).of_last(1_000);
    let half = Trip::percent(50).of_last(1_000);
    let time = Trip::failures(10).within(SPAN);
    let sixty = Trip::failures(60).within(SPAN);
    let rate = Trip::percent(50).min_calls(20).within(SPAN);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let shards = cores.min(64).next_power_of_two();
    [
        row("default", default, false, true, 650),
        row("default, listener", default, true, true, 880),
        row("listener, notified", once, true, true, 1_650),
        row("failures(10).of_last", calls, false, true, 1_100),
        row("percent(50).of_last(1000)", half, false, true, 5_000),
        row("failures(10).within, healthy", time, false, false, 650),
        row("failures(10).within", time, false, true, 1_100),
        row("failures(60).within", sixty, false, true, 1_500),
        row("percent.within", rate, false, false, 1_400 + 128 * shards),
    ]
}

/// Selects the row that this process measures.
const MEASURE: &str = "CUTOUT_MEASURE_ROW";

/// Memory of one key of 50 bytes. Valid only in a process that has freed nothing yet.
fn measure(row: &Row) -> usize {
    const KEYS: u32 = 50_000;
    let before = resident();
    let mut builder = Breakers::<String>::builder().each(row.each).bound(KEYS);
    if row.listener {
        builder = builder.listener(|_, _| {});
    }
    let breakers = builder.build();
    for number in 0..KEYS {
        let breaker = breakers.get(hostile(number).as_str());
        let _ = breaker.call(|| if row.fails { Err(()) } else { Ok(()) });
    }
    let each = resident().saturating_sub(before) / KEYS as usize;
    assert_eq!(breakers.len(), KEYS as usize);
    each
}

#[test]
fn a_key_takes_the_memory_in_the_table() {
    if let Ok(row) = env::var(MEASURE) {
        println!(
            "{MEASURE}={}",
            measure(&table()[row.parse::<usize>().unwrap()])
        );
        return;
    }
    let mut wrong = Vec::new();
    for (i, row) in table().iter().enumerate() {
        let child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "a_key_takes_the_memory_in_the_table",
                "--nocapture",
            ])
            .env(MEASURE, i.to_string())
            .output()
            .unwrap();
        let output = String::from_utf8(child.stdout).unwrap();
        let (_, each) = output.split_once(&format!("{MEASURE}=")).unwrap();
        let each: usize = each.split_whitespace().next().unwrap().parse().unwrap();
        println!("{:30} {each:5} bytes, at most {}", row.what, row.at_most);
        if each > row.at_most {
            wrong.push(row.what);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// In a process of its own, which has freed nothing yet.
#[test]
fn a_set_without_keys_takes_little_of_what_it_reserves() {
    const KEYS: usize = 1 << 20;
    if env::var(MEASURE).is_ok() {
        let (reserved, resident_before) = (reserved(), resident());
        let set = Breakers::<String>::builder().bound(1 << 20).build();
        let grown = [self::reserved() - reserved, resident() - resident_before];
        assert_eq!(set.len(), 0);
        println!("{MEASURE}={} {}", grown[0] / KEYS, grown[1] / KEYS);
        return;
    }
    let child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "a_set_without_keys_takes_little_of_what_it_reserves",
            "--nocapture",
        ])
        .env(MEASURE, "")
        .output()
        .unwrap();
    let output = String::from_utf8(child.stdout).unwrap();
    let (_, grown) = output.split_once(&format!("{MEASURE}=")).unwrap();
    let mut grown = grown
        .split_whitespace()
        .map(|n| n.parse::<usize>().unwrap());
    let (reserved, resident) = (grown.next().unwrap(), grown.next().unwrap());
    println!("each key of the bound: {reserved} bytes reserved, {resident} resident");
    assert!(reserved <= 64, "{reserved}");
    assert!(resident < 4, "{resident}");
}

#[test]
fn a_million_keys_take_no_more_than_the_bound() {
    a_million_keys_with_few_kept();
    keys_that_find_no_slot();
    keys_that_are_inserted_and_removed();
}

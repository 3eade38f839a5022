//! What a set of breakers takes is bounded by its bound, not by the keys that come. Alone in its binary, as
//! it looks at the memory of the whole process.
#![cfg(all(feature = "keyed", target_os = "linux"))]

use std::fs;

use cutout::{Breaker, keyed::Breakers};

const BOUND: u32 = 1_000;
const MIB: usize = 1 << 20;

/// The memory that the process has resident, in bytes.
fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// A key such as a stranger sends.
fn hostile(number: u32) -> String {
    format!("{number}.hostile-tenant-with-a-name.example.com")
}

fn set() -> Breakers<String> {
    Breakers::builder().bound(BOUND).build()
}

fn a_million_keys_of_which_few_stay() {
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

fn keys_that_find_no_place() {
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

fn keys_that_come_and_are_removed() {
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

fn keys_that_stay() {
    const KEYS: u32 = 100_000;
    let before = resident();
    let breakers = Breakers::<String>::builder()
        .each(Breaker::builder().name("tenants"))
        .bound(KEYS)
        .build();
    for number in 0..KEYS {
        breakers.get(hostile(number).as_str());
    }
    let each = resident().saturating_sub(before) / KEYS as usize;
    assert_eq!(breakers.len(), KEYS as usize);
    println!("{each} bytes a key of 50");
    assert!(each < 1_000, "{each} bytes a key");
}

#[test]
fn a_million_keys_take_no_more_than_the_bound() {
    a_million_keys_of_which_few_stay();
    keys_that_find_no_place();
    keys_that_come_and_are_removed();
    keys_that_stay();
}

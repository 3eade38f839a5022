//! Cost of hardware operations: the lower bound of the other measurements.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use benches::{contender::Contender, passes::measure};

fn contenders() -> Vec<Contender> {
    let clock = quanta::Clock::new();
    let loaded = AtomicU64::new(1);
    let swapped = AtomicU64::new(1);
    let arc = Arc::new(1);
    let mutex = Mutex::new(1_u64);
    let parking_lot = parking_lot::Mutex::new(1_u64);
    vec![
        Contender::new("nothing", || ()),
        Contender::new("load", move || loaded.load(Ordering::Acquire)),
        Contender::new("compare-and-swap", move || {
            let now = swapped.load(Ordering::Acquire);
            swapped.compare_exchange(now, now + 1, Ordering::AcqRel, Ordering::Acquire)
        }),
        Contender::new("raw clock read", move || clock.raw()),
        Contender::new("Instant::now", Instant::now),
        Contender::new("Arc clone and drop", move || drop(Arc::clone(&arc))),
        Contender::new("std mutex, lock and unlock", move || {
            *mutex.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        }),
        Contender::new("parking_lot mutex, lock and unlock", move || {
            *parking_lot.lock() += 1;
        }),
    ]
}

fn main() {
    measure("hardware", &[1, 2], contenders);
}

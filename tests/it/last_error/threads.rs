//! Real threads: the log under writers and readers, and rejections that never show a past outage.

use std::{
    collections::HashMap,
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, ScopedJoinHandle},
    time::Duration,
};

use cutout::{
    Breaker, Policy, State, Trip,
    clock::Manual,
    last_error::{FailureLog, LogSnapshot, WithLastError},
};

const WRITERS: u64 = CLASSES.len() as u64;
const CLASSES: [&str; 3] = ["a", "b", "c"];
const READERS: usize = 2;
const EACH: u64 = 5_000;

/// The text of a writer's failure: class, generation and message belong together.
fn record(log: &FailureLog, writer: u64, nth: u64) {
    let class = CLASSES[usize::try_from(writer).unwrap()];
    let generation = u16::try_from(nth % 60_000).unwrap();
    log.record(generation, class, &format_args!("{class} {nth} end"));
}

/// Parses a failure and checks that it is whole.
fn writer_and_nth(class: &str, generation: u16, message: &str) -> (u64, u64) {
    let writer = CLASSES.iter().position(|known| *known == class);
    let mut words = message.split(' ');
    assert_eq!(words.next(), Some(class));
    let nth: u64 = words.next().unwrap().parse().unwrap();
    assert_eq!((words.next(), words.next()), (Some("end"), None));
    assert_eq!(u64::from(generation), nth % 60_000);
    (writer.unwrap() as u64, nth)
}

/// The failure that each number identified, as one reader observed it.
#[derive(Default)]
struct ReaderView {
    identity: HashMap<u64, (u64, u64)>,
    newest: u64,
}

impl ReaderView {
    fn observe(&mut self, read: &LogSnapshot, begun: &AtomicU64) {
        let mut latest = HashMap::new();
        let mut above = u64::MAX;
        for failure in &read.failures {
            assert!(failure.number < above, "newest first, without duplicates");
            above = failure.number;
            let identity = writer_and_nth(failure.class, failure.generation, &failure.message);
            let known = *self.identity.entry(failure.number).or_insert(identity);
            assert_eq!(known, identity, "a number identifies one failure");
            let (writer, nth) = identity;
            if let Some(newer) = latest.insert(writer, nth) {
                assert!(nth < newer, "a writer's failures are in its order");
            }
        }
        let newest = read.failures.first().map_or(0, |failure| failure.number);
        assert!(newest >= self.newest, "time does not step back");
        self.newest = newest;
        assert_eq!(read.missing, newest - read.failures.len() as u64);
        assert!(
            newest <= begun.load(Ordering::SeqCst),
            "every failure was written by a writer"
        );
    }
}

#[test]
fn the_log_is_whole_and_in_order_under_writers_and_readers() {
    for capacity in [1, 3, 64] {
        let log = FailureLog::new(capacity);
        let begun = AtomicU64::new(0);
        let over = AtomicBool::new(false);
        let start = Barrier::new(CLASSES.len() + READERS);
        let reads: usize = thread::scope(|scope| {
            let (log, begun, over, start) = (&log, &begun, &over, &start);
            let readers = [(); READERS].map(|()| {
                scope.spawn(move || {
                    let mut seen = ReaderView::default();
                    start.wait();
                    while !over.load(Ordering::SeqCst) {
                        seen.observe(&log.read(), begun);
                    }
                    seen.identity.len()
                })
            });
            let writers = [0, 1, 2].map(|writer| {
                scope.spawn(move || {
                    start.wait();
                    for nth in 0..EACH {
                        begun.fetch_add(1, Ordering::SeqCst);
                        record(log, writer, nth);
                    }
                })
            });
            let wrote = writers.map(ScopedJoinHandle::join);
            over.store(true, Ordering::SeqCst);
            let read = readers.map(|reader| reader.join().unwrap());
            assert!(wrote.iter().all(Result::is_ok));
            read.iter().sum()
        });
        assert!(reads > capacity as usize, "no reader ran while writers ran");
        let read = log.read();
        let numbers = read.failures.iter().map(|failure| failure.number);
        let last = (1..=WRITERS * EACH).rev().take(capacity as usize);
        assert!(
            numbers.eq(last),
            "the last {capacity} remain when all threads are done"
        );
        ReaderView::default().observe(&read, &begun);
    }
}

/// Little work between two numbers, so that threads collide.
#[test]
fn no_number_is_assigned_twice() {
    const EACH: u64 = 50_000;
    let log = FailureLog::new(1);
    let start = Barrier::new(CLASSES.len());
    thread::scope(|scope| {
        for class in CLASSES {
            let (log, start) = (&log, &start);
            scope.spawn(move || {
                start.wait();
                for _ in 0..EACH {
                    log.record(0, class, &"");
                }
            });
        }
    });
    assert_eq!(log.read().failures[0].number, WRITERS * EACH);
}

#[test]
fn no_failure_is_lost_to_the_allocation_race_of_the_ring() {
    for _ in 0..500 {
        let log = FailureLog::new(3);
        let start = Barrier::new(3);
        thread::scope(|scope| {
            let (log, start) = (&log, &start);
            for writer in 0..WRITERS {
                scope.spawn(move || {
                    start.wait();
                    record(log, writer, 0);
                });
            }
        });
        assert_eq!(log.read().failures.len(), 3);
    }
}

/// Stops the other threads, also when a test panics.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A driver trips the breaker; other threads are rejected and then recover it by a probe. The
/// driver's errors identify their outage, and so do the generations: each outage has three.
#[test]
fn a_rejection_shows_no_error_of_another_outage() {
    const OUTAGES: u16 = 500;
    const SECOND: Duration = Duration::from_secs(1);
    static CLOCK: Manual = Manual::new();
    let policy = Policy::new().trip(Trip::consecutive(1)).open_for(SECOND);
    let dependency =
        WithLastError::<u16>::new(Breaker::builder().policy(policy).clock(&CLOCK).build());
    let over = AtomicBool::new(false);
    let shown = AtomicU64::new(0);
    let observe = |call: Result<(), u16>| {
        if let Err(error) = dependency.call(|| call)
            && let Some(rejected) = error.rejected()
            && let Some(last) = error.last()
        {
            assert_eq!(**last, rejected.generation() / 3);
            shown.fetch_add(1, Ordering::SeqCst);
            return true;
        }
        false
    };
    thread::scope(|scope| {
        let _over = StopOnDrop(&over);
        let others = [(); 2].map(|()| {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    observe(Ok(()));
                }
            })
        });
        for outage in 0..OUTAGES {
            assert_eq!(dependency.breaker().snapshot().generation, outage * 3);
            assert!(!observe(Err(outage)));
            // Whatever the recovering threads still do, the error that this thread stored remains.
            assert!(observe(Ok(())), "outage {outage} shows its error");
            // Every other outage lasts until another thread has seen it.
            let before = shown.load(Ordering::SeqCst);
            while outage % 2 == 0 && shown.load(Ordering::SeqCst) == before {
                assert!(!others.iter().any(ScopedJoinHandle::is_finished));
                thread::yield_now();
            }
            CLOCK.advance(SECOND);
            while dependency.breaker().state() != State::Closed {
                assert!(!others.iter().any(ScopedJoinHandle::is_finished));
                thread::yield_now();
            }
        }
    });
    let shown = shown.load(Ordering::SeqCst);
    assert!(shown >= u64::from(OUTAGES + OUTAGES / 2), "{shown} times");
}

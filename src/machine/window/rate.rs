//! A share of failures over time, in ten buckets.
//!
//! ```text
//! time       ... | 41 | 42 | 43 | 44 | 45 | 46 | 47 | 48 | 49 | 50 |     a bucket is T/10
//!                  the window: the newest bucket and the nine before it
//!
//! failures   [10 cells]                                  one line, shared
//! successes  [10 cells] [10 cells] [10 cells] ...        a line a shard; a thread uses one
//!
//! a cell     generation | number of the bucket | count   bucket b is in cell b mod 10
//! ```
//!
//! **What it promises.** A failure trips iff of the calls that ended in this period within the last T, up to
//! one bucket less, enough failed and there were enough of them. Successes are counted where their thread
//! writes alone; only a failure adds the shards up.
//!
//! **Why only successes are sharded.** Two failures that come at once must see each other, or neither
//! trips. They write the same cell, or (at the turn of a bucket) two cells of one line, each before reading
//! the other's, with a fence between: one of them sees both. A success that a failure does not see yet has
//! not happened before it.
//!
//! **The cell.** A count goes to its own bucket's cell by CAS on all of it. A cell of an older bucket or
//! generation is written over; so nothing is ever cleared, and an idle gap of any length needs no work. A
//! cell of a newer bucket or generation means that this count comes too late, by a whole T or a period: it is
//! dropped. *Newer* is what lies ahead by no more than T and a second: after a clock has stepped back
//! farther, its buckets are written over.
//!
//! How many bits each part gets depends on T: as many for the number as tell 8.7 years of buckets apart, as
//! many for the count as hold 100 million calls a second, and the rest, 8 or 9, for the generation.
//!
//! **Why it is lock-free.** A success is one CAS on one cell, retried only when another thread of the shard
//! has counted. A failure is one such CAS, and then the word's.
//!
//! | a thread stops | then |
//! |---|---|
//! | before its CAS on a cell | its call is not counted yet. If it goes on more than T and a second later, it may write over one newer bucket of its shard |
//! | between cell and word | its failure is counted, and the next failure decides |
//! | after the word | all is done but telling of the trip, if it was one |
//!
//! **What wraps.** The number after 8.7 years: a cell that was last written exactly so long ago counts again.
//! The generation after 256 or 512 periods, if all of them fall into one bucket: buckets before the one that
//! the period began in are not looked at. (The word keeps 29 bits of that one's number: every 2^29 buckets,
//! 62 days at the shortest, up to nine buckets are passed over.) Counts saturate.

use std::boxed::Box;

use crate::sync::{AtomicU64, CachePadded, Ordering, fence};

use super::{
    super::{
        cell::{Cell, Decided},
        rules::Rules,
        step::{Recorded, Step, open},
        tally::Count,
        tick::SLACK_MS,
        word::{Phase, Word},
    },
    Failure,
    payload::{Payload, START_BITS, bucket_nanos},
};

const BUCKETS: usize = 10;
const WINDOW: u64 = BUCKETS as u64;
const NANOS_PER_MS: u64 = 1_000_000;
/// A count holds a call in each of these: 100 million calls a second.
const NANOS_PER_CALL: u64 = 10;
/// How long numbers tell buckets apart: 2^40 ticks of 250 µs, as the word's deadline does.
const RANGE_NANOS: u64 = (1 << 40) * 250_000;

/// Where the parts of a cell lie, and how long a bucket is.
#[derive(Clone, Copy, Debug)]
struct Scale {
    bucket_nanos: u64,
    count_bits: u32,
    number_bits: u32,
}

/// A bucket of a period.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    generation: u64,
    number: u64,
}

/// How a cell's bucket lies to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lies {
    Older,
    Same,
    Newer,
}

/// The bits that a number up to `most` needs.
const fn bits(most: u64) -> u32 {
    u64::BITS - most.leading_zeros()
}

impl Scale {
    const fn new(within_ms: u32) -> Self {
        let bucket_nanos = bucket_nanos(within_ms);
        Self {
            bucket_nanos,
            count_bits: bits(bucket_nanos / NANOS_PER_CALL),
            number_bits: bits(RANGE_NANOS / bucket_nanos),
        }
    }

    const fn most(self) -> u64 {
        (1 << self.count_bits) - 1
    }

    const fn number_mask(self) -> u64 {
        (1 << self.number_bits) - 1
    }

    const fn generation_mask(self) -> u64 {
        u64::MAX >> (self.count_bits + self.number_bits)
    }

    const fn bucket(self, generation: u16, now: u64) -> Bucket {
        Bucket {
            generation: generation as u64 & self.generation_mask(),
            number: (now / self.bucket_nanos) & self.number_mask(),
        }
    }

    /// A cell with this count, saturated.
    const fn cell(self, bucket: Bucket, count: u64) -> u64 {
        let count = if count < self.most() {
            count
        } else {
            self.most()
        };
        bucket.generation << (self.count_bits + self.number_bits)
            | bucket.number << self.count_bits
            | count
    }

    const fn bucket_of(self, cell: u64) -> Bucket {
        Bucket {
            generation: cell >> (self.count_bits + self.number_bits),
            number: cell >> self.count_bits & self.number_mask(),
        }
    }

    const fn count_of(self, cell: u64) -> u64 {
        cell & self.most()
    }

    /// How many buckets after `older` the bucket `newer` is, modulo the range.
    const fn after(self, older: u64, newer: u64) -> u64 {
        newer.wrapping_sub(older) & self.number_mask()
    }

    const fn lies(self, cell: Bucket, to: Bucket) -> Lies {
        let ahead = self.after(to.number, cell.number);
        let slack = WINDOW + SLACK_MS * NANOS_PER_MS / self.bucket_nanos;
        let younger = cell.generation.wrapping_sub(to.generation) & self.generation_mask();
        match (ahead, younger) {
            (0, 0) => Lies::Same,
            (0, younger) if younger <= self.generation_mask() / 2 => Lies::Newer,
            (1.., _) if ahead <= slack => Lies::Newer,
            _ => Lies::Older,
        }
    }
}

/// Ten cells of one line.
#[derive(Debug)]
struct Cells(CachePadded<[AtomicU64; BUCKETS]>);

impl Cells {
    fn new() -> Self {
        // No bucket of generation 0 that anybody looks at has a count of 0.
        Self(CachePadded::new(core::array::from_fn(|_| {
            AtomicU64::new(0)
        })))
    }

    fn of(&self, bucket: Bucket) -> &AtomicU64 {
        let index = usize::try_from(bucket.number % WINDOW).unwrap_or(0);
        &self.0[index]
    }

    /// Counts a call.
    fn add(&self, bucket: Bucket, scale: Scale) {
        let cell = self.of(bucket);
        // ORDERING: Relaxed, here and in `sum`. A cell is whole in itself, and what happened before the
        // call ended happened before its failure is summed. For the one thing that two cells decide
        // together, see `fail`.
        let mut stands = cell.load(Ordering::Relaxed);
        loop {
            let count = match scale.lies(scale.bucket_of(stands), bucket) {
                Lies::Same => scale.count_of(stands) + 1,
                Lies::Older => 1,
                Lies::Newer => return,
            };
            let next = scale.cell(bucket, count);
            if next == stands {
                return;
            }
            match cell.compare_exchange_weak(stands, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => stands = now,
            }
        }
    }

    /// The calls of the window that `newest` is the newest bucket of, in the period that began in `start`.
    fn sum(&self, newest: Bucket, start: u64, scale: Scale) -> u64 {
        let count = |cell: &AtomicU64| {
            let cell = cell.load(Ordering::Relaxed);
            let bucket = scale.bucket_of(cell);
            let age = scale.after(bucket.number, newest.number);
            let old = newest.number.wrapping_sub(start) & ((1 << START_BITS) - 1);
            if bucket.generation == newest.generation && age < WINDOW && age <= old {
                scale.count_of(cell)
            } else {
                0
            }
        };
        self.0.iter().map(count).sum()
    }
}

/// The buckets.
#[derive(Debug)]
pub(crate) struct Rate {
    scale: Scale,
    /// Those of the failures, and then a shard each of the successes.
    cells: Box<[Cells]>,
}

impl Rate {
    /// Buckets for a window of `within_ms`, with as many shards as that, at least one.
    pub(crate) fn new(within_ms: u32, shards: usize) -> Self {
        Self {
            scale: Scale::new(within_ms),
            cells: (0..=shards.max(1)).map(|_| Cells::new()).collect(),
        }
    }

    /// Counts a success of a closed period; `thread` is any number that its thread keeps.
    #[inline]
    pub(crate) fn succeed(&self, thread: usize, generation: u16, now: u64) {
        let shard = 1 + thread % (self.cells.len() - 1);
        self.cells[shard].add(self.scale.bucket(generation, now), self.scale);
    }

    /// Records a failure.
    pub(crate) fn fail(
        &self,
        cell: &Cell,
        seen: Word,
        failure: Failure,
        rules: &Rules,
    ) -> Decided<Option<Count>, Recorded> {
        if !seen.is_of(failure.period) {
            return Decided::unchanged(seen, None, Recorded::Stale);
        }
        let now = failure.moment.now;
        let bucket = self.scale.bucket(seen.generation(), now);
        self.cells[0].add(bucket, self.scale);
        // ORDERING: SeqCst fence. Of two failures that add to different buckets, at the turn of one, each then
        // reads the other's. Without the fence both may read what stood before, and neither trips (I14).
        fence(Ordering::SeqCst);
        let count = self.count(seen, now);
        let rate_trips = rules.tally.judges(count);
        let decided = cell.transition(
            seen,
            (),
            || (),
            |word, ()| {
                let payload = match word.phase() {
                    Phase::Closed(payload) if word.is_of(failure.period) => Payload::new(payload),
                    _ => {
                        return Step {
                            word,
                            verdict: Recorded::Stale,
                        };
                    }
                };
                let payload = payload.with_failure(rules.tally.run);
                if rate_trips
                    || rules
                        .tally
                        .run
                        .is_some_and(|run| payload.run() >= u64::from(run))
                {
                    Step {
                        word: open(word, 0, failure.hint_ms, rules, failure.moment),
                        verdict: Recorded::Tripped,
                    }
                } else {
                    Step {
                        word: word.with_payload(payload.bits()),
                        verdict: Recorded::Applied,
                    }
                }
            },
        );
        let counted = decided.is_transition().then_some(count);
        decided.with(counted)
    }

    /// What the window of a closed word covers at `now`.
    pub(crate) fn count(&self, word: Word, now: u64) -> Count {
        let Phase::Closed(payload) = word.phase() else {
            return Count::default();
        };
        let start = Payload::new(payload).start();
        let newest = self.scale.bucket(word.generation(), now);
        let sum = |cells: &Cells| cells.sum(newest, start, self.scale);
        let failures = sum(&self.cells[0]);
        let successes: u64 = self.cells[1..].iter().map(sum).sum();
        let saturated = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Count {
            failures: saturated(failures),
            calls: saturated(failures + successes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Policy, Trip,
        machine::{rules::tests::rules, step::Moment},
    };
    use core::time::Duration;

    const MS: u64 = NANOS_PER_MS;

    /// A window of a second, so that a bucket is 100 ms, in a period that began long ago.
    fn rate() -> (Rate, Word) {
        (Rate::new(1_000, 2), Word::new(0))
    }

    const LONG_AGO: u64 = 1_000_000 * MS;

    fn counted(rate: &Rate, word: Word, now: u64) -> (u32, u32) {
        let Count { failures, calls } = rate.count(word, now);
        (failures, calls)
    }

    #[test]
    fn every_window_has_room_for_its_parts() {
        for within_ms in (100..=86_400_000).step_by(9_973).chain([86_400_000]) {
            let scale = Scale::new(within_ms);
            let generation_bits = scale.generation_mask().count_ones();
            assert!(
                (8..=9).contains(&generation_bits),
                "{within_ms}: {generation_bits}"
            );
            assert!(
                scale.most() >= scale.bucket_nanos / NANOS_PER_CALL,
                "100 million calls a second"
            );
            assert!(
                scale.number_mask() >= RANGE_NANOS / scale.bucket_nanos,
                "8.7 years"
            );
        }
    }

    #[test]
    fn a_call_is_forgotten_after_ten_buckets_and_not_before_nine() {
        let (rate, word) = rate();
        rate.succeed(0, 0, LONG_AGO + 99 * MS);
        for (after, calls) in [(0, 1), (900, 1), (999, 1), (1_000, 0), (1_000_000, 0)] {
            assert_eq!(
                counted(&rate, word, LONG_AGO + after * MS),
                (0, calls),
                "{after}"
            );
        }
    }

    #[test]
    fn an_idle_gap_of_any_length_clears_what_it_should() {
        for gap in 0..=25 {
            let (rate, word) = rate();
            for bucket in 0..10 {
                rate.succeed(0, 0, LONG_AGO + bucket * 100 * MS);
            }
            let now = LONG_AGO + (9 + gap) * 100 * MS;
            rate.succeed(0, 0, now);
            let left = 10 - gap.min(10) + 1;
            assert_eq!(u64::from(counted(&rate, word, now).1), left, "{gap}");
        }
    }

    #[test]
    fn a_count_of_another_generation_is_not_this_ones() {
        let (rate, word) = rate();
        rate.succeed(0, 7, LONG_AGO);
        assert_eq!(counted(&rate, word, LONG_AGO), (0, 0));
        // Generation 0 is far behind 7, so it comes too late, and 8 comes after it.
        rate.succeed(0, 0, LONG_AGO);
        assert_eq!(counted(&rate, word, LONG_AGO), (0, 0));
        rate.succeed(0, 8, LONG_AGO);
        let eighth = (0..8).fold(word, |word, _| word.begin_closed(0));
        assert_eq!(counted(&rate, eighth, LONG_AGO), (0, 1));
    }

    #[test]
    fn buckets_before_the_period_began_are_not_looked_at() {
        let (rate, word) = rate();
        rate.succeed(0, 0, LONG_AGO);
        rate.succeed(0, 0, LONG_AGO + 100 * MS);
        let began = Payload::starting_at(LONG_AGO + 100 * MS, 1_000);
        let word = word.with_payload(began.bits());
        assert_eq!(counted(&rate, word, LONG_AGO + 100 * MS), (0, 1));
    }

    #[test]
    fn a_writer_that_comes_too_late_is_dropped() {
        let (rate, word) = rate();
        rate.succeed(0, 0, LONG_AGO + 1_000 * MS);
        rate.succeed(0, 0, LONG_AGO);
        assert_eq!(counted(&rate, word, LONG_AGO + 1_000 * MS), (0, 1));
    }

    #[test]
    fn after_a_clock_has_stepped_back_far_its_buckets_are_written_over() {
        let (rate, word) = rate();
        rate.succeed(0, 0, LONG_AGO + 5_000 * MS);
        rate.succeed(0, 0, LONG_AGO);
        assert_eq!(counted(&rate, word, LONG_AGO), (0, 1));
    }

    #[test]
    fn counts_saturate() {
        let scale = Scale::new(100);
        let bucket = scale.bucket(3, LONG_AGO);
        let full = scale.cell(bucket, u64::MAX);
        assert_eq!(scale.count_of(full), scale.most());
        assert_eq!(scale.bucket_of(full).number, bucket.number);
        assert_eq!(scale.bucket_of(full).generation, 3);
        let cells = Cells::new();
        cells.of(bucket).store(full, Ordering::Relaxed);
        cells.add(bucket, scale);
        assert_eq!(cells.of(bucket).load(Ordering::Relaxed), full);
    }

    #[test]
    fn threads_of_all_shards_are_added_up() {
        let (rate, word) = rate();
        for thread in 0..5 {
            rate.succeed(thread, 0, LONG_AGO);
        }
        assert_eq!(counted(&rate, word, LONG_AGO), (0, 5));
    }

    #[test]
    fn a_share_of_enough_calls_trips() {
        let second = Duration::from_secs(1);
        let rules = rules(&Policy::new().trip(Trip::percent(50).min_calls(4).within(second)));
        let (rate, word) = rate();
        let cell = Cell::over(AtomicU64::new(word.bits()));
        let fail = || {
            let failure = Failure {
                period: cell.load().period(),
                moment: Moment {
                    now: LONG_AGO,
                    salt: 0,
                },
                hint_ms: 0,
            };
            rate.fail(&cell, cell.load(), failure, &rules)
        };
        rate.succeed(0, 0, LONG_AGO);
        rate.succeed(1, 0, LONG_AGO);
        assert_eq!(fail().verdict, Recorded::Applied, "too few calls");
        let tripped = fail();
        assert_eq!(tripped.verdict, Recorded::Tripped);
        assert_eq!(
            tripped.prepared,
            Some(Count {
                failures: 2,
                calls: 4
            })
        );
    }
}

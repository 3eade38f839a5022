//! Time buckets: a failure rate over time, in ten buckets.
//!
//! ```text
//! time       ... | 41 | 42 | 43 | 44 | 45 | 46 | 47 | 48 | 49 | 50 |     a bucket is T/10
//!                  the window: the newest bucket and the nine before it
//!
//! newest     the number of the newest bucket that a thread has read off the clock
//! failures   [16 cells]                                  one line, shared
//! successes  [16 cells] [16 cells] [16 cells] ...        a line a shard; a thread uses one
//!
//! a cell     generation | number of the bucket | count   bucket b is in cell b mod 16
//! ```
//!
//! **Guarantee.** A failure trips iff enough of the calls that ended in this period within the last
//! T failed, and there were enough calls. T is exact to one bucket less. Few threads share a
//! counter of successes; only a failure sums the shards.
//!
//! **Clock readings.** Every failure reads the clock. So do the first [`EXACT`] successes of a
//! shard in a bucket, and every [`EVERY`]th after them. Every success does, where calls are timed
//! or observed, or while a run of failures is being counted. The others count in the newest bucket
//! that a thread has read.
//!
//! So no success is lost or counted twice, and none counts in a later bucket than its own. At a
//! failure at most `EVERY - 1` successes of a shard are missing in the window. They are fewer than
//! 11 % of what the shard counted in its last bucket, as that bucket holds at least `EXACT`. They
//! came before the first failure in the window, as every failure publishes its bucket. The bound is
//! in calls: a pause of any length does not raise it. Missing successes can trip the breaker a
//! little early, or by `min_calls` a little late.
//!
//! **Only successes are sharded.** Of two concurrent failures one must see both, or neither trips.
//! They write the same cell, or (at the turn of a bucket) two cells, each before it reads the
//! other, with a fence between. So one of them sees both. That one reads the newest bucket after
//! the fence, so its window covers both. A success that a failure does not see has not happened
//! before that failure.
//!
//! **The cell.** A count goes to the cell of its bucket by CAS on the whole cell:
//!
//! * If the cell holds another bucket, and no bucket is newer, the count overwrites it. So nothing
//!   is ever cleared, and an idle gap of any length needs no work.
//! * If a bucket is newer, the count goes there.
//! * If the word says that the call's period is over, the count is dropped.
//!
//! *Newest* follows the clock. It moves back only if the clock has stepped back by more than a
//! bucket and a second.
//!
//! The width of each part depends on T. The number distinguishes 8.7 years of buckets, the count
//! holds 100 million calls a second, and the generation has the rest, 8 or 9 bits.
//!
//! **Lock-freedom.** A success is one CAS on one cell. It retries only when another thread of the
//! shard has counted or the bucket has turned. A failure is one such CAS, and then that of the
//! word.
//!
//! | a thread stops | then |
//! |---|---|
//! | between clock and `newest` | others advance `newest`; see below |
//! | before its CAS on a cell | its call is not counted yet, and later counts in the bucket that is the newest then |
//! | between cell and word | its failure is counted, and the next failure decides |
//! | after the word | only the notification of a trip is left |
//!
//! A thread that is delayed between clock and `newest`, by more than a bucket and a second, looks
//! like a clock that stepped back. It moves `newest` back until the next reading; no failure that
//! is deciding follows it. Its own count may overwrite that of a newer bucket in its shard.
//!
//! A counted failure is reported as applied, even if another thread's trip, which rests on that
//! failure, ended the period first.
//!
//! **What wraps.** Counts saturate.
//!
//! | what | after | then |
//! |---|---|---|
//! | the number of a bucket | 8.7 years | a cell last written exactly that long ago counts again |
//! | the generation | 256 or 512 periods within one bucket | the counts of the first of them, if no other wrote there, count again |
//! | `start` in the word | 2^29 buckets, at least 62 days | in the second before, the period seems to begin at a clock that is ahead, so that counts go to a later bucket; after it, up to nine buckets are left out |

use std::boxed::Box;

use crate::sync::{AtomicU64, CachePadded, Ordering, fence};

use super::super::{
    super::{
        atomic_word::{AtomicWord, Decided},
        rules::Rules,
        step::{Recorded, Step},
        tick::SLACK_MS,
        word::{Period, Phase, Word},
    },
    Count,
    payload::{Payload, START_BITS, bucket_nanos},
    slot::Failure,
};

/// The buckets of a window.
const WINDOW: u64 = 10;
/// The cells of a line: a power of two, so that a cell is found without a division.
const CELLS: usize = 16;
/// The first successes of a shard in a bucket, each of which reads the clock.
const EXACT: u64 = 64;
/// The interval, in successes, of the clock readings after them. A power of two.
const EVERY: u64 = 8;
const NANOS_PER_MS: u64 = 1_000_000;
/// The time for each call that a count can hold: 100 million calls a second.
const NANOS_PER_CALL: u64 = 10;
/// The time for which numbers distinguish buckets: 2^40 ticks of 250 µs, as in a deadline.
const RANGE_NANOS: u64 = (1 << 40) * 250_000;

/// Layout of a cell, and the length of a bucket.
#[derive(Clone, Copy, Debug)]
struct BucketLayout {
    bucket_nanos: u64,
    count_bits: u32,
    number_bits: u32,
}

/// The bits that a number up to `most` needs.
const fn bits(most: u64) -> u32 {
    u64::BITS - most.leading_zeros()
}

impl BucketLayout {
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

    /// A cell of this bucket in this generation, with a count of 0.
    const fn empty(self, generation: u16, bucket: u64) -> u64 {
        let generation = (generation as u64) << (self.count_bits + self.number_bits);
        let number = bucket & ((1 << self.number_bits) - 1);
        generation | number << self.count_bits
    }

    /// The count of a cell, if its bucket and generation are those of `empty`.
    const fn count(self, cell: u64, empty: u64) -> Option<u64> {
        let count = cell.wrapping_sub(empty);
        if count <= self.most() {
            Some(count)
        } else {
            None
        }
    }
}

/// Whether a bucket is later than another.
const fn is_later(bucket: u64, than: u64) -> bool {
    let ahead = bucket.wrapping_sub(than);
    0 < ahead && ahead <= u64::MAX / 2
}

/// A line of cells.
#[derive(Debug)]
struct Cells(CachePadded<[AtomicU64; CELLS]>);

impl Cells {
    fn new() -> Self {
        // Bucket 0 of generation 0, with a count of 0.
        Self(CachePadded::new(core::array::from_fn(|_| {
            AtomicU64::new(0)
        })))
    }

    fn of(&self, bucket: u64) -> &AtomicU64 {
        // The low four bits, whatever the width of a `usize`.
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits count")]
        let index = bucket as usize % CELLS;
        &self.0[index]
    }

    /// The calls in the window up to the bucket `newest`, in the period that began in `start`.
    fn sum(&self, newest: u64, start: u64, generation: u16, scale: BucketLayout) -> u64 {
        let since = newest.wrapping_sub(start) & ((1 << START_BITS) - 1);
        (0..WINDOW)
            .take_while(|age| *age <= since)
            .filter_map(|age| {
                let bucket = newest.wrapping_sub(age);
                // ORDERING: Acquire, pairs with the CAS in `add`: a thread that counts a failure
                // finds its hint. Without it an open period could be shorter than a failure that
                // tripped it asked for. (Coherence makes earlier failures visible; concurrent ones
                // have the fence in `fail`.)
                let cell = self.of(bucket).load(Ordering::Acquire);
                scale.count(cell, scale.empty(generation, bucket))
            })
            .sum()
    }
}

/// The buckets.
#[derive(Debug)]
pub(crate) struct TimeBuckets {
    scale: BucketLayout,
    newest: CachePadded<AtomicU64>,
    /// The counters of failures, then one shard of successes after the other.
    lines: Box<[Cells]>,
}

impl TimeBuckets {
    /// Buckets for a window of `within_ms`, with at least as many shards as that: a power of two,
    /// so that a thread's is found without a division.
    pub(crate) fn new(within_ms: u32, shards: usize) -> Self {
        Self {
            scale: BucketLayout::new(within_ms),
            newest: CachePadded::new(AtomicU64::new(0)),
            lines: (0..=shards.next_power_of_two())
                .map(|_| Cells::new())
                .collect(),
        }
    }

    /// Counts a success of a closed period without a clock reading, if none is due. `thread` is the
    /// shard number of the thread.
    #[inline]
    pub(crate) fn succeed_untimed(&self, thread: usize, generation: u16) -> bool {
        // ORDERING: Relaxed. An older bucket than the newest is as good as a success a little
        // earlier.
        let bucket = self.newest.load(Ordering::Relaxed);
        let cell = self.shard(thread).of(bucket);
        let stands = cell.load(Ordering::Relaxed);
        let empty = self.scale.empty(generation, bucket);
        match self.scale.count(stands, empty) {
            Some(count)
                if EXACT <= count && count < self.scale.most() && !count.is_multiple_of(EVERY) =>
            {
                // ORDERING: Relaxed. The cell is complete in itself.
                cell.compare_exchange(stands, stands + 1, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
            }
            _ => false,
        }
    }

    /// Counts a success of the closed period of `seen` at `now`.
    pub(crate) fn succeed(&self, thread: usize, cell: &AtomicWord, seen: Word, now: u64) {
        let bucket = self.publish(now, seen);
        self.add(self.shard(thread), cell, seen.period(), bucket);
    }

    /// Records a failure.
    pub(crate) fn fail(
        &self,
        cell: &AtomicWord,
        seen: Word,
        failure: Failure<'_>,
        rules: &Rules,
    ) -> Decided<Option<Count>, Recorded> {
        if !seen.is_of(failure.period) {
            return Decided::unchanged(seen, None, Recorded::Stale);
        }
        let bucket = self.publish(failure.moment.now, seen);
        if !self.add(&self.lines[0], cell, failure.period, bucket) {
            return Decided::unchanged(seen, None, Recorded::Stale);
        }
        // ORDERING: SeqCst fence. Two failures at the turn of a bucket add to different buckets,
        // and each then reads the other's. Without the fence both may read the counts from before,
        // and neither trips (I14).
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed, after the fence: of two failures one sees the bucket that the other
        // published.
        let newest = self.newest.load(Ordering::Relaxed);
        // A reading that was delayed by more than a second looks like a clock that stepped back,
        // and has moved `newest` back. This decision does not look behind its own bucket.
        let newest = if is_later(bucket, newest) {
            bucket
        } else {
            newest
        };
        let sum = self.sum(seen, newest);
        let rate_trips = rules.trip_rule.judges(sum.failures, sum.calls());
        let decided = cell.transition(
            seen,
            (),
            || (),
            |word, ()| {
                let payload = match word.phase() {
                    Phase::Closed(payload) if word.is_of(failure.period) => Payload::new(payload),
                    // The failure was counted, and the trip of another thread may rest on it.
                    _ => {
                        return Step {
                            word,
                            verdict: Recorded::Applied,
                        };
                    }
                };
                failure.count(word, after_failure(payload, rules), rate_trips, rules)
            },
        );
        let counted = decided.is_transition().then(|| sum.count());
        decided.with(counted)
    }

    /// The counts in the window of a closed word at `now`. Reading them publishes nothing.
    pub(crate) fn count(&self, word: Word, now: u64) -> Count {
        // ORDERING: Relaxed. No decision depends on this read.
        let newest = self.newest.load(Ordering::Relaxed);
        let bucket = self.judge(newest, now).unwrap_or(newest);
        self.sum(word, self.not_before(word, bucket)).count()
    }

    fn shard(&self, thread: usize) -> &Cells {
        let shards = self.lines.len() - 1;
        &self.lines[1 + (thread & (shards - 1))]
    }

    /// The bucket of this reading, if it replaces the newest: it is later, or the clock has stepped
    /// back by more than clocks differ.
    #[inline]
    fn judge(&self, newest: u64, now: u64) -> Option<u64> {
        // Nearly always a comparison replaces the division.
        let length = self.scale.bucket_nanos;
        if now.wrapping_sub(newest.wrapping_mul(length)) < length {
            return None;
        }
        let bucket = now / length;
        let behind = newest.wrapping_sub(bucket);
        (behind > self.slack()).then_some(bucket)
    }

    /// The bucket, or a later one in which the period of `word` began, if clocks can differ by
    /// that: a recovery by a clock that is ahead. Counts before that bucket are not read later.
    fn not_before(&self, word: Word, bucket: u64) -> u64 {
        let Phase::Closed(payload) = word.phase() else {
            return bucket;
        };
        let ahead = Payload::new(payload).start().wrapping_sub(bucket) & ((1 << START_BITS) - 1);
        if ahead <= self.slack() {
            bucket.wrapping_add(ahead)
        } else {
            bucket
        }
    }

    /// The buckets by which clocks may differ, and one for the position of a reading in its bucket.
    const fn slack(&self) -> u64 {
        1 + SLACK_MS * NANOS_PER_MS / self.scale.bucket_nanos
    }

    /// Publishes the bucket of a clock reading in the period of `word`, and returns the newest
    /// bucket.
    #[inline]
    fn publish(&self, now: u64, word: Word) -> u64 {
        // ORDERING: Relaxed, both. By `add`, a thread that finds a bucket in a cell finds it here,
        // too.
        let mut newest = self.newest.load(Ordering::Relaxed);
        loop {
            let judged = self.judge(newest, now).unwrap_or(newest);
            let bucket = self.not_before(word, judged);
            if bucket == newest {
                return newest;
            }
            match self.newest.compare_exchange_weak(
                newest,
                bucket,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return bucket,
                Err(stands) => newest = stands,
            }
        }
    }

    /// Counts a call of a closed period in a bucket that was the newest a moment ago, unless the
    /// period is over.
    fn add(&self, line: &Cells, word: &AtomicWord, period: Period, mut bucket: u64) -> bool {
        let generation = period.generation();
        loop {
            let cell = line.of(bucket);
            // ORDERING: Acquire, pairs with the Release below. A thread that finds another tag in
            // the cell then finds the word and `newest` at least as new as the tag's writer did.
            // Without it a thread that was stopped could take its own period and bucket for the
            // current ones, and overwrite newer counts.
            let stands = cell.load(Ordering::Acquire);
            let empty = self.scale.empty(generation, bucket);
            let next = match self.scale.count(stands, empty) {
                Some(count) if count == self.scale.most() => return true,
                Some(count) => empty + count + 1,
                // The period is over, so the call is not counted.
                None if !word.load().is_of(period) => return false,
                None => {
                    let newest = self.newest.load(Ordering::Relaxed);
                    if is_later(newest, bucket) {
                        bucket = newest;
                        continue;
                    }
                    empty + 1
                }
            };
            // ORDERING: Release, pairs with the load above. Relaxed on failure: the loop reads
            // everything again.
            if cell
                .compare_exchange_weak(stands, next, Ordering::Release, Ordering::Relaxed)
                .is_ok()
            {
                return true;
            }
        }
    }

    fn sum(&self, word: Word, newest: u64) -> Sum {
        let Phase::Closed(payload) = word.phase() else {
            return Sum::default();
        };
        let start = Payload::new(payload).start();
        let sum = |line: &Cells| line.sum(newest, start, word.generation(), self.scale);
        let failures = sum(&self.lines[0]);
        let successes: u64 = self.lines[1..].iter().map(sum).sum();
        Sum {
            failures,
            successes,
        }
    }
}

/// The payload of time buckets after one more failure.
pub(crate) const fn after_failure(payload: Payload, rules: &Rules) -> Payload {
    payload.with_failure(rules.trip_rule.run)
}

/// What a window covers: more than 32 bits, as its cells hold 100 million calls a second for a day.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    failures: u64,
    successes: u64,
}

impl Sum {
    const fn calls(self) -> u64 {
        self.failures + self.successes
    }

    /// As it is shown.
    fn count(self) -> Count {
        let saturated = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Count {
            failures: saturated(self.failures),
            calls: saturated(self.calls()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Policy, Trip,
        machine::{hints::Hints, rules::tests::rules, step::TimeSample},
    };
    use core::time::Duration;

    const MS: u64 = NANOS_PER_MS;

    /// A window of a second, so that a bucket is 100 ms, in a period that began long ago.
    fn rate() -> (TimeBuckets, Word) {
        (TimeBuckets::new(1_000, 2), Word::new(0))
    }

    /// The word of a closed period of this generation.
    fn of(generation: u16) -> Word {
        (0..generation).fold(Word::new(0), |word, _| word.begin_closed(0))
    }

    fn cell(word: Word) -> AtomicWord {
        AtomicWord::over(AtomicU64::new(word.bits()))
    }

    /// A success in the current period.
    fn succeed(rate: &TimeBuckets, thread: usize, generation: u16, now: u64) {
        let word = of(generation);
        rate.succeed(thread, &cell(word), word, now);
    }

    const LONG_AGO: u64 = 1_000_000 * MS;

    fn counted(rate: &TimeBuckets, word: Word, now: u64) -> (u32, u32) {
        let Count { failures, calls } = rate.count(word, now);
        (failures, calls)
    }

    /// It has seen its period stand, then the breaker tripped and recovered, and another failed.
    #[test]
    fn a_failure_that_stopped_until_its_period_was_over_is_stale() {
        let (rate, old) = rate();
        let rules = rules(
            &Policy::new().trip(
                Trip::percent(50)
                    .min_calls(3)
                    .within(Duration::from_secs(1)),
            ),
        );
        let cell = cell(of(2));
        let hints = Hints::over(AtomicU64::new(0));
        let fails = |seen: Word| {
            let failure = Failure {
                period: seen.period(),
                moment: TimeSample { now: 0, salt: 0 },
                hints: &hints,
            };
            rate.fail(&cell, seen, failure, &rules).verdict
        };
        assert_eq!(fails(of(2)), Recorded::Applied);
        assert_eq!(fails(old), Recorded::Stale);
        assert_eq!(counted(&rate, of(2), 0), (1, 1));
    }

    #[test]
    fn every_window_has_room_for_its_parts() {
        for within_ms in (100..=86_400_000).step_by(9_973).chain([86_400_000]) {
            let scale = BucketLayout::new(within_ms);
            let generation_bits = u64::BITS - scale.count_bits - scale.number_bits;
            assert!(
                (8..=9).contains(&generation_bits),
                "{within_ms}: {generation_bits}"
            );
            assert!(
                scale.most() >= scale.bucket_nanos / NANOS_PER_CALL,
                "100 million calls a second"
            );
            assert!(
                (1 << scale.number_bits) > RANGE_NANOS / scale.bucket_nanos,
                "8.7 years"
            );
        }
    }

    #[test]
    fn the_parts_of_a_cell_spill_into_nothing_else() {
        let scale = BucketLayout::new(1_000);
        for bucket in [0, 1, RANGE_NANOS / scale.bucket_nanos, u64::MAX] {
            let empty = scale.empty(3, bucket);
            let full = empty + scale.most();
            assert_eq!(scale.count(full, empty), Some(scale.most()));
            let next = scale.empty(3, bucket.wrapping_add(1));
            assert_eq!(
                scale.count(full, next),
                None,
                "it is not of the next bucket"
            );
            let generation = full >> (scale.count_bits + scale.number_bits);
            assert_eq!(generation, 3);
        }
    }

    #[test]
    fn a_call_is_forgotten_after_ten_buckets_and_not_before_nine() {
        let (rate, word) = rate();
        succeed(&rate, 0, 0, LONG_AGO + 99 * MS);
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
                succeed(&rate, 0, 0, LONG_AGO + bucket * 100 * MS);
            }
            let now = LONG_AGO + (9 + gap) * 100 * MS;
            succeed(&rate, 0, 0, now);
            let left = 10 - gap.min(10) + 1;
            assert_eq!(u64::from(counted(&rate, word, now).1), left, "{gap}");
        }
    }

    #[test]
    fn a_count_of_another_generation_is_not_this_ones() {
        let (rate, word) = rate();
        succeed(&rate, 0, 7, LONG_AGO);
        assert_eq!(counted(&rate, word, LONG_AGO), (0, 0));
        // A call of an earlier period that comes late is dropped.
        rate.succeed(0, &cell(of(7)), of(3), LONG_AGO);
        assert_eq!(counted(&rate, of(7), LONG_AGO), (0, 1));
        assert_eq!(counted(&rate, of(3), LONG_AGO), (0, 0));
    }

    /// A defect that a review found. The cell of a generation more than half the tag's range ago
    /// was taken for that of a younger one. The breaker then counted nothing until the bucket
    /// turned.
    #[test]
    fn a_cell_of_any_earlier_generation_is_written_over() {
        for later in [1, 100, 128, 129, 200, 255, 300, 511, 600] {
            let (rate, _) = rate();
            succeed(&rate, 0, 1, LONG_AGO);
            succeed(&rate, 0, 1 + later, LONG_AGO);
            assert_eq!(counted(&rate, of(1 + later), LONG_AGO), (0, 1), "{later}");
        }
    }

    #[test]
    fn buckets_before_the_period_began_are_not_looked_at() {
        let (rate, word) = rate();
        succeed(&rate, 0, 0, LONG_AGO);
        succeed(&rate, 0, 0, LONG_AGO + 100 * MS);
        let began = Payload::starting_at(LONG_AGO + 100 * MS, 1_000);
        let word = word.with_payload(began.bits());
        assert_eq!(counted(&rate, word, LONG_AGO + 100 * MS), (0, 1));
    }

    #[test]
    fn a_writer_that_comes_late_counts_in_the_newest_bucket() {
        let (rate, word) = rate();
        let old = rate.publish(LONG_AGO, of(0));
        succeed(&rate, 0, 0, LONG_AGO + 1_600 * MS);
        rate.add(rate.shard(0), &cell(word), word.period(), old);
        assert_eq!(counted(&rate, word, LONG_AGO + 1_600 * MS), (0, 2));
    }

    /// A defect that a loom model found: the late reading moved the failure's count back too.
    #[test]
    fn a_reading_that_was_held_up_moves_no_count_back() {
        let (rate, word) = rate();
        let bucket = rate.publish(LONG_AGO, of(0));
        let late = rate.publish(LONG_AGO - 1_300 * MS, of(0));
        assert!(late < bucket, "as if the clock had stepped back");
        rate.add(&rate.lines[0], &cell(word), word.period(), bucket);
        assert_eq!(counted(&rate, word, LONG_AGO), (1, 1));
    }

    #[test]
    fn a_clock_that_is_a_little_behind_counts_in_the_newest_bucket() {
        let (rate, word) = rate();
        succeed(&rate, 0, 0, LONG_AGO + 1_000 * MS);
        succeed(&rate, 0, 0, LONG_AGO);
        assert_eq!(counted(&rate, word, LONG_AGO + 1_000 * MS), (0, 2));
    }

    #[test]
    fn after_a_clock_has_stepped_back_far_its_buckets_are_written_over() {
        let (rate, word) = rate();
        succeed(&rate, 0, 0, LONG_AGO + 5_000 * MS);
        succeed(&rate, 0, 0, LONG_AGO);
        assert_eq!(counted(&rate, word, LONG_AGO), (0, 1));
    }

    #[test]
    fn a_clock_may_be_behind_by_a_bucket_and_a_second() {
        let (rate, _) = rate();
        let bucket = rate.publish(LONG_AGO, of(0));
        assert_eq!(rate.publish(LONG_AGO + 99 * MS, of(0)), bucket);
        assert_eq!(rate.publish(LONG_AGO - 1_000 * MS, of(0)), bucket);
        assert_eq!(rate.publish(LONG_AGO - 1_100 * MS, of(0)), bucket);
        assert_eq!(rate.publish(LONG_AGO - 1_101 * MS, of(0)), bucket - 12);
        assert_eq!(rate.publish(LONG_AGO - 1_100 * MS, of(0)), bucket - 11);
    }

    #[test]
    fn counts_saturate() {
        let (rate, word) = rate();
        succeed(&rate, 0, 0, LONG_AGO);
        let bucket = LONG_AGO / rate.scale.bucket_nanos;
        let line = rate.shard(0).of(bucket);
        let full = rate.scale.empty(0, bucket) + rate.scale.most();
        line.store(full, Ordering::Relaxed);
        succeed(&rate, 0, 0, LONG_AGO);
        assert!(!rate.succeed_untimed(0, 0));
        assert_eq!(line.load(Ordering::Relaxed), full);
        let most = u32::try_from(rate.scale.most()).unwrap();
        assert_eq!(counted(&rate, word, LONG_AGO), (0, most));
    }

    #[test]
    fn the_clock_is_left_alone_once_a_bucket_has_enough() {
        let (rate, word) = rate();
        let untimed = |n| (0..n).filter(|_| rate.succeed_untimed(0, 0)).count();
        assert_eq!(untimed(100), 0, "not before a bucket was published");
        for _ in 0..EXACT {
            assert!(!rate.succeed_untimed(0, 0));
            succeed(&rate, 0, 0, LONG_AGO);
        }
        let mut read = 0;
        for _ in 0..EVERY * 10 {
            if !rate.succeed_untimed(0, 0) {
                read += 1;
                succeed(&rate, 0, 0, LONG_AGO);
            }
        }
        assert_eq!(read, 10);
        let all = u32::try_from(EXACT + EVERY * 10).unwrap();
        assert_eq!(counted(&rate, word, LONG_AGO), (0, all));
    }

    /// The documented error: at most seven successes of a shard, and only in an earlier bucket.
    #[test]
    fn after_a_pause_at_most_seven_of_a_shard_are_in_an_earlier_bucket() {
        let (rate, word) = rate();
        for _ in 0..=EXACT {
            succeed(&rate, 0, 0, LONG_AGO);
        }
        let later = LONG_AGO + 2_000 * MS;
        let mut missing = 0;
        for _ in 0..20 {
            if rate.succeed_untimed(0, 0) {
                missing += 1;
            } else {
                succeed(&rate, 0, 0, later);
            }
        }
        assert_eq!(missing, EVERY - 1);
        assert_eq!(u64::from(counted(&rate, word, later).1), 20 - missing);
    }

    #[test]
    fn threads_of_all_shards_are_added_up() {
        let (rate, word) = rate();
        for thread in 0..5 {
            succeed(&rate, thread, 0, LONG_AGO);
        }
        assert_eq!(counted(&rate, word, LONG_AGO), (0, 5));
    }

    #[test]
    fn a_share_of_enough_calls_trips() {
        let second = Duration::from_secs(1);
        let rules = rules(&Policy::new().trip(Trip::percent(50).min_calls(4).within(second)));
        let (rate, word) = rate();
        let cell = AtomicWord::over(AtomicU64::new(word.bits()));
        let fail = || rate.fail(&cell, cell.load(), failure(cell.load()), &rules);
        succeed(&rate, 0, 0, LONG_AGO);
        succeed(&rate, 1, 0, LONG_AGO);
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

    /// A defect that a review found: sums were cut to 32 bits, and a window of a day holds more.
    #[test]
    fn a_window_counts_more_than_32_bits_hold() {
        let day = Duration::from_hours(24);
        let rules = rules(&Policy::new().trip(Trip::percent(1).min_calls(100).within(day)));
        for (failures, trips) in [(42_949_673, false), (47_474_747, false), (47_474_748, true)] {
            let rate = TimeBuckets::new(86_400_000, 1);
            let cell = cell(of(0));
            let empty = rate.scale.empty(0, rate.publish(LONG_AGO, of(0)));
            let set = |line: &Cells, count| {
                let bucket = LONG_AGO / rate.scale.bucket_nanos;
                line.of(bucket).store(empty + count, Ordering::Relaxed);
            };
            set(&rate.lines[0], failures - 1);
            set(&rate.lines[1], 4_700_000_000);
            let recorded = fail(&rate, &cell, of(0), &rules);
            assert_eq!(recorded == Recorded::Tripped, trips, "{failures}");
        }
    }

    /// The failure adds up every shard, however many.
    #[test]
    fn a_failure_counts_the_successes_of_every_shard() {
        let second = Duration::from_secs(1);
        let rules = rules(&Policy::new().trip(Trip::percent(12).min_calls(1).within(second)));
        let rate = TimeBuckets::new(1_000, 8);
        for thread in 0..8 {
            succeed(&rate, thread, 0, LONG_AGO);
        }
        // One failure of nine calls is 11 %.
        let cell = cell(of(0));
        assert_eq!(fail(&rate, &cell, of(0), &rules), Recorded::Applied);
        assert_eq!(counted(&rate, of(0), LONG_AGO), (1, 9));
    }

    /// A defect that a review found. A clock behind the recovery's counted before the bucket in
    /// which the period began. Those counts were left out once the newest bucket had reached that
    /// bucket.
    #[test]
    fn what_is_counted_behind_the_beginning_of_its_period_stays_in_the_window() {
        for ahead in [1, 99, 100, 350, 1_000] {
            let (rate, _) = rate();
            let began = Payload::starting_at(LONG_AGO + ahead * MS, 1_000);
            let word = Word::new(began.bits());
            rate.succeed(0, &cell(word), word, LONG_AGO);
            assert_eq!(counted(&rate, word, LONG_AGO), (0, 1), "{ahead}");
            rate.succeed(0, &cell(word), word, LONG_AGO + ahead * MS);
            let last = LONG_AGO + (ahead + 899) * MS;
            assert_eq!(counted(&rate, word, last), (0, 2), "{ahead}");
        }
    }

    /// A failure of the period that `seen` is of.
    fn failure(seen: Word) -> Failure<'static> {
        static HINTS: Hints = Hints::over(AtomicU64::new(0));
        Failure {
            period: seen.period(),
            moment: TimeSample {
                now: LONG_AGO,
                salt: 0,
            },
            hints: &HINTS,
        }
    }

    fn fail(rate: &TimeBuckets, cell: &AtomicWord, seen: Word, rules: &Rules) -> Recorded {
        rate.fail(cell, seen, failure(seen), rules).verdict
    }

    #[test]
    fn a_run_beside_the_buckets_trips_too() {
        let minute = Duration::from_mins(1);
        let trip = Trip::percent(100).min_calls(9).within(minute);
        let rules = rules(&Policy::new().trip(trip.or(Trip::consecutive(3))));
        let (rate, word) = rate();
        let cell = cell(word);
        let fail = || fail(&rate, &cell, cell.load(), &rules);
        assert_eq!(fail(), Recorded::Applied);
        assert_eq!(fail(), Recorded::Applied);
        assert_eq!(fail(), Recorded::Tripped);
    }

    #[test]
    fn a_failure_that_was_counted_leaves_the_word_of_the_next_period_alone() {
        let minute = Duration::from_mins(1);
        let rules = rules(&Policy::new().trip(Trip::percent(1).min_calls(2).within(minute)));
        let (rate, seen) = rate();
        assert_eq!(fail(&rate, &cell(seen), seen, &rules), Recorded::Applied);
        // A trip that rests on both has been quicker.
        let next = cell(seen.begin_closed(0));
        assert_eq!(fail(&rate, &next, seen, &rules), Recorded::Applied);
        assert_eq!(next.load(), seen.begin_closed(0));
    }
}

//! Time buckets: a failure rate within a time T, in ten buckets.
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
//! T failed, and there were enough calls. The window covers T, less up to one bucket. Few threads
//! share a counter of successes; only a failure sums the shards.
//!
//! **Clock readings.** Every failure reads the clock. So do the first [`EXACT`] successes of a
//! shard in a bucket, every [`EVERY`]th after them, and every [`EVERY_OF_MANY`]th after [`MANY`].
//! Where calls are timed or observed, or while a run of failures is being counted, every success
//! reads the clock. All other successes count in the newest bucket that a thread has read.
//!
//! So no success is lost or counted twice, and none counts in a later bucket than its own. At a
//! failure, at most `EVERY - 1` successes of a shard are missing in the window. If the shard
//! counted `MANY` in its last bucket, at most `EVERY_OF_MANY - 1` are missing. The missing
//! successes are fewer than 11 % of that bucket. They came before the first failure in the window,
//! as every failure publishes its bucket. The bound is in calls: a pause of any length does not
//! raise it. Missing successes can trip the breaker a little early, or by `min_calls` a little
//! late.
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
//! like a clock that stepped back. It moves `newest` back until the next reading. A failure that is
//! deciding then keeps its own bucket as the newest. The late thread's own count may overwrite that
//! of a newer bucket in its shard.
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
//! | `start` in the word | 2^29 buckets, at least 62 days | in the last second before the wrap, the period seems to have begun by a clock that is ahead, so counts go to a later bucket; after the wrap, up to nine buckets are left out |

use std::boxed::Box;

use crate::sync::{AtomicU64, CachePadded, Ordering, fence};

use super::{
    super::{
        super::{
            atomic_word::{AtomicWord, Decided},
            rules::Rules,
            step::{Recorded, Step},
            tick::SLACK_MS,
            word::{Period, Phase, Word},
        },
        Count,
        external::WindowData,
        payload::START,
        slot::FailedCall,
    },
    Buckets,
};

/// The number of buckets in a window.
const WINDOW: u64 = 10;
/// The number of cells in a line: a power of two, so that a cell is found without a division.
const CELLS: usize = 16;
/// The number of first successes of a shard in a bucket, each of which reads the clock.
const EXACT: u64 = 64;
/// The interval, in successes, of the clock readings after them. A power of two.
const EVERY: u64 = 8;
/// The number of successes of a shard in a bucket from which a longer interval is as accurate.
const MANY: u64 = 512;
/// The interval after [`MANY`]. A power of two.
const EVERY_OF_MANY: u64 = 32;

const _: () = {
    assert!((EVERY - 1) * 100 < EXACT * 11);
    assert!((EVERY_OF_MANY - 1) * 100 < MANY * 11);
};
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
    /// The largest count, and the largest number of a bucket, which are also their masks.
    most: u64,
    most_number: u64,
}

/// The bits that a number up to `most` needs.
const fn bits(most: u64) -> u32 {
    u64::BITS - most.leading_zeros()
}

impl BucketLayout {
    const fn new(kind: Buckets) -> Self {
        let bucket_nanos = kind.bucket_nanos();
        let count_bits = bits(bucket_nanos / NANOS_PER_CALL);
        let number_bits = bits(RANGE_NANOS / bucket_nanos);
        Self {
            bucket_nanos,
            count_bits,
            number_bits,
            most: (1 << count_bits) - 1,
            most_number: (1 << number_bits) - 1,
        }
    }

    /// A cell of this bucket in this generation, with a count of 0.
    const fn empty(self, generation: u16, bucket: u64) -> u64 {
        let generation = (generation as u64) << (self.count_bits + self.number_bits);
        generation | (bucket & self.most_number) << self.count_bits
    }

    /// Whether a success may be counted without the clock: the count before it, as
    /// [`BucketLayout::count`] returns it, is of this cell, not the largest, and no reading is due.
    const fn needs_no_clock(self, cell: u64, empty: u64) -> bool {
        let count = cell.wrapping_sub(empty);
        let every = if count < MANY { EVERY } else { EVERY_OF_MANY };
        // One comparison for `EXACT <= count && count < most`.
        count.wrapping_sub(EXACT) < self.most - EXACT && count & (every - 1) != 0
    }

    /// The count of a cell, if its bucket and generation are those of `empty`.
    const fn count(self, cell: u64, empty: u64) -> Option<u64> {
        let count = cell.wrapping_sub(empty);
        if count <= self.most {
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
    fn sum(&self, newest: u64, start: u64, generation: u16, layout: BucketLayout) -> u64 {
        let since = newest.wrapping_sub(start) & START;
        (0..WINDOW)
            .take_while(|age| *age <= since)
            .filter_map(|age| {
                let bucket = newest.wrapping_sub(age);
                // ORDERING: Acquire, pairs with the CAS in `add`: a thread that counts a failure
                // finds its hint. Without it an open period could be shorter than a failure that
                // tripped it asked for. (Coherence makes earlier failures visible; concurrent ones
                // have the fence in `fail`.)
                let cell = self.of(bucket).load(Ordering::Acquire);
                layout.count(cell, layout.empty(generation, bucket))
            })
            .sum()
    }
}

/// The buckets.
#[derive(Debug)]
pub(crate) struct TimeBuckets {
    kind: Buckets,
    layout: BucketLayout,
    newest: CachePadded<AtomicU64>,
    /// The counters of failures, then one shard of successes after the other.
    lines: Box<[Cells]>,
}

impl TimeBuckets {
    /// Buckets with at least this number of shards: a power of two, so that a thread's shard is
    /// found without a division.
    pub(crate) fn new(kind: Buckets, shards: usize) -> Self {
        Self {
            kind,
            layout: BucketLayout::new(kind),
            newest: CachePadded::new(AtomicU64::new(0)),
            lines: (0..=shards.next_power_of_two())
                .map(|_| Cells::new())
                .collect(),
        }
    }

    /// The index of the shard of a thread.
    fn index(&self, thread: usize) -> usize {
        let shards = self.lines.len() - 1;
        1 + (thread & (shards - 1))
    }

    fn shard(&self, thread: usize) -> &Cells {
        &self.lines[self.index(thread)]
    }

    /// The bucket of this reading, if it replaces the newest: it is later, or the clock has stepped
    /// back by more than clocks differ.
    #[inline]
    fn judge(&self, newest: u64, now: u64) -> Option<u64> {
        // Nearly always a comparison replaces the division.
        let length = self.layout.bucket_nanos;
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
        let ahead = (payload & START).wrapping_sub(bucket) & START;
        if ahead <= self.slack() {
            bucket.wrapping_add(ahead)
        } else {
            bucket
        }
    }

    /// The buckets by which clocks may differ, and one for the position of a reading in its bucket.
    const fn slack(&self) -> u64 {
        1 + SLACK_MS * NANOS_PER_MS / self.layout.bucket_nanos
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
                Err(current) => newest = current,
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
            let current = cell.load(Ordering::Acquire);
            let empty = self.layout.empty(generation, bucket);
            let next = match self.layout.count(current, empty) {
                Some(count) if count == self.layout.most => return true,
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
                .compare_exchange_weak(current, next, Ordering::Release, Ordering::Relaxed)
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
        let start = payload & START;
        let sum = |line: &Cells| line.sum(newest, start, word.generation(), self.layout);
        let failures = sum(&self.lines[0]);
        let successes: u64 = self.lines[1..].iter().map(sum).sum();
        Sum {
            failures,
            successes,
        }
    }
}

impl WindowData for TimeBuckets {
    /// Counts the success only if no clock reading is due.
    #[inline]
    fn succeed_untimed(&self, thread: usize, generation: u16) -> bool {
        // ORDERING: Relaxed. An older bucket than the newest is as good as a success a little
        // earlier.
        let bucket = self.newest.load(Ordering::Relaxed);
        // `get` needs no code for a panic, and so this function saves fewer registers.
        let Some(shard) = self.lines.get(self.index(thread)) else {
            return false;
        };
        let cell = shard.of(bucket);
        let current = cell.load(Ordering::Relaxed);
        let empty = self.layout.empty(generation, bucket);
        // ORDERING: Relaxed. The cell is complete in itself.
        self.layout.needs_no_clock(current, empty)
            && cell
                .compare_exchange(current, current + 1, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    fn succeed(&self, thread: usize, atomic_word: &AtomicWord, seen: Word, now: u64) {
        let bucket = self.publish(now, seen);
        self.add(self.shard(thread), atomic_word, seen.period(), bucket);
    }

    fn fail(
        &self,
        atomic_word: &AtomicWord,
        seen: Word,
        failure: FailedCall<'_>,
        rules: &Rules,
    ) -> Decided<Option<Count>, Recorded> {
        if !seen.is_of(failure.period) {
            return Decided::unchanged(seen, None, Recorded::Stale);
        }
        let bucket = self.publish(failure.moment.now, seen);
        if !self.add(&self.lines[0], atomic_word, failure.period, bucket) {
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
        let rate_trips = sum.trips(self.kind);
        let decided = atomic_word.update(
            seen,
            (),
            || (),
            |word, ()| {
                let payload = match word.phase() {
                    Phase::Closed(payload) if word.is_of(failure.period) => payload,
                    // The failure was counted, and the trip of another thread may rest on it.
                    _ => {
                        return Step {
                            word,
                            verdict: Recorded::Applied,
                        };
                    }
                };
                let payload = self.kind.failure(payload, rules.trip_rule.run);
                failure.count(word, payload, rate_trips, rules)
            },
        );
        let counted = decided.is_transition().then(|| sum.count());
        decided.with(counted)
    }

    /// Counts up to the bucket of `now`, and does not publish that bucket.
    fn count(&self, word: Word, now: u64) -> Count {
        // ORDERING: Relaxed. No decision depends on this read.
        let newest = self.newest.load(Ordering::Relaxed);
        let bucket = self.judge(newest, now).unwrap_or(newest);
        self.sum(word, self.not_before(word, bucket)).count()
    }
}

/// The calls in a window. Each number has more than 32 bits: cells hold 100 million calls a second,
/// and a window is up to a day.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    failures: u64,
    successes: u64,
}

impl Sum {
    const fn calls(self) -> u64 {
        self.failures + self.successes
    }

    /// Whether this failure rate trips.
    const fn trips(self, kind: Buckets) -> bool {
        let calls = self.calls();
        calls >= kind.min_calls as u64 && self.failures * 100 >= kind.percent as u64 * calls
    }

    /// The counts as a snapshot and a transition show them; they saturate.
    fn count(self) -> Count {
        let saturated = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Count {
            failures: saturated(self.failures),
            calls: saturated(self.calls()),
        }
    }
}

#[cfg(test)]
mod tests;

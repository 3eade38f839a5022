//! Audit of a round after all its threads are done.

use std::{collections::BTreeMap, fmt};

use cutout::{Cause, Outcome, Recorded, Snapshot, State, Transition};

use super::{CountedIn, EndedCall, OPEN_MS, TripCounts};

/// Logs and final state of a round.
pub(crate) struct Audit {
    pub(crate) threads: usize,
    pub(crate) calls: Vec<EndedCall>,
    pub(crate) failed_cas: usize,
    pub(crate) notified: Vec<Transition>,
    pub(crate) last: Snapshot,
    pub(crate) most_probes: u32,
}

/// Totals of the events that occurred.
#[derive(Default)]
pub(crate) struct Collisions {
    pub(crate) rounds: usize,
    pub(crate) calls: usize,
    /// Admissions that read the clock again because they lost their CAS.
    pub(crate) failed_cas: usize,
    /// Outcomes that arrived after their period.
    pub(crate) stale: usize,
    pub(crate) trips: usize,
    pub(crate) recoveries: usize,
    pub(crate) reopenings: usize,
    pub(crate) transitions: usize,
    pub(crate) missed: usize,
    /// Rounds that ended with a closed breaker.
    pub(crate) closed: usize,
    pub(crate) most_probes: u32,
}

impl Collisions {
    pub(crate) fn add(&mut self, other: &Self) {
        self.rounds += other.rounds;
        self.calls += other.calls;
        self.failed_cas += other.failed_cas;
        self.stale += other.stale;
        self.trips += other.trips;
        self.recoveries += other.recoveries;
        self.reopenings += other.reopenings;
        self.transitions += other.transitions;
        self.missed += other.missed;
        self.closed += other.closed;
        self.most_probes = self.most_probes.max(other.most_probes);
    }
}

impl fmt::Display for Collisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} rounds, {} calls, {} transitions ({} trips, {} recoveries, {} reopenings; {} missed), \
             {} stale outcomes, {} admissions lost a CAS, at most {} probes at once",
            self.rounds,
            self.calls,
            self.transitions,
            self.trips,
            self.recoveries,
            self.reopenings,
            self.missed,
            self.stale,
            self.failed_cas,
            self.most_probes
        )
    }
}

/// The outcomes that calls of one closed period reported as counted.
#[derive(Clone, Copy, Default)]
struct CountedOutcomes {
    failures: u32,
    successes: u32,
}

impl Audit {
    pub(crate) fn audit(&self, counts: TripCounts) -> Collisions {
        let missed = self.every_transition_is_notified_once_or_missed();
        self.each_transition_is_made_by_the_call_that_reports_it(counts);
        self.no_probe_precedes_the_deadline();
        self.no_trip_is_lost(counts);
        self.late_outcomes_are_stale();
        assert_eq!(self.last.probes_in_flight, 0, "I8: every slot was released");
        Collisions {
            rounds: 1,
            calls: self.calls.len(),
            failed_cas: self.failed_cas,
            stale: self.reporting(Recorded::Stale).count(),
            trips: self.caused(Cause::Tripped),
            recoveries: self.caused(Cause::Recovered),
            reopenings: self.caused(Cause::ProbeFailed),
            transitions: usize::from(self.last.generation),
            missed,
            closed: usize::from(self.last.stored_state == State::Closed),
            most_probes: self.most_probes,
        }
    }

    fn reporting(&self, recorded: Recorded) -> impl Iterator<Item = &EndedCall> {
        let calls = self.calls.iter();
        calls.filter(move |call| call.recorded == recorded)
    }

    fn caused(&self, cause: Cause) -> usize {
        self.notified
            .iter()
            .filter(|notified| notified.cause == cause)
            .count()
    }

    fn transition_to(&self, generation: u16) -> Option<&Transition> {
        let at = |notified: &Transition| notified.generation;
        let index = self.notified.binary_search_by_key(&generation, at).ok()?;
        self.notified.get(index)
    }

    /// I1, I2, I3, I19. Returns the number of missed transitions.
    fn every_transition_is_notified_once_or_missed(&self) -> usize {
        use State::{Closed, HalfOpen, Open};
        let (mut state, mut generation, mut missed) = (State::Closed, 0, 0);
        for notified in &self.notified {
            // A round has far fewer than 65 536 transitions, so no generation repeats.
            let next = u32::from(generation) + notified.missed + 1;
            assert_eq!(
                u32::from(notified.generation),
                next,
                "transitions are consecutive"
            );
            assert!(
                notified.missed > 0 || notified.from == state,
                "each transition begins where the last one ended"
            );
            let edge = (notified.from, notified.to);
            assert!(
                match notified.cause {
                    Cause::Tripped => edge == (Closed, Open),
                    Cause::ProbeAdmitted => edge == (Open, HalfOpen),
                    Cause::ProbeFailed | Cause::LeaseExpired => edge == (HalfOpen, Open),
                    Cause::Recovered => edge == (HalfOpen, Closed),
                    _ => true,
                },
                "no such transition: {notified:?}"
            );
            (state, generation) = (notified.to, notified.generation);
            missed += notified.missed as usize;
        }
        let recorded = (self.last.stored_state, self.last.generation);
        assert_eq!(
            (state, generation),
            recorded,
            "the last notified transition led to the current state"
        );
        assert_eq!(self.notified.len() + missed, usize::from(generation));
        missed
    }

    /// I1: the call that reports a trip, recovery or reopening is the only one, and listeners
    /// receive the same cause.
    fn each_transition_is_made_by_the_call_that_reports_it(&self, counts: TripCounts) {
        let mut makers: BTreeMap<u16, Cause> = BTreeMap::new();
        for call in &self.calls {
            let cause = match call.recorded {
                Recorded::Tripped => Cause::Tripped,
                Recorded::Recovered => Cause::Recovered,
                Recorded::Reopened => Cause::ProbeFailed,
                _ => continue,
            };
            let generation = call.generation + 1;
            let other = makers.insert(generation, cause);
            assert_eq!(other, None, "two calls made generation {generation}");
            assert!(
                self.transition_to(generation)
                    .is_none_or(|notified| notified.cause == cause)
            );
        }
        for notified in &self.notified {
            let made = makers.get(&notified.generation);
            match notified.cause {
                Cause::Recovered | Cause::ProbeFailed => assert_eq!(made, Some(&notified.cause)),
                // A trip that another failure finished is reported as applied.
                Cause::Tripped => assert!(made.is_some() || counts.counted_in != CountedIn::Word),
                _ => assert_eq!(made, None),
            }
        }
    }

    /// I11.
    fn no_probe_precedes_the_deadline(&self) {
        let mut deadlines = BTreeMap::new();
        for call in &self.calls {
            if let Recorded::Tripped | Recorded::Reopened = call.recorded {
                deadlines.insert(call.generation + 1, call.ended + OPEN_MS * 1_000_000);
            }
        }
        for call in self.calls.iter().filter(|call| call.probe) {
            let deadline = deadlines.get(&(call.generation - 1)).copied().unwrap_or(0);
            assert!(
                call.admitted >= deadline,
                "admitted before the deadline: {call:?}"
            );
        }
    }

    /// I14. With all threads done, exactly the outcomes that were reported as applied are counted.
    fn no_trip_is_lost(&self, counts: TripCounts) {
        let mut periods: BTreeMap<u16, CountedOutcomes> = BTreeMap::new();
        for call in self.reporting(Recorded::Applied).filter(|call| !call.probe) {
            let counted = periods.entry(call.generation).or_default();
            match call.outcome {
                Outcome::Failure => counted.failures += 1,
                _ => counted.successes += 1,
            }
        }
        for (&generation, counted) in &periods {
            let calls = counted.failures + counted.successes;
            let in_window = counted.successes == 0 || calls <= counts.among;
            let threads = u32::try_from(self.threads).expect("few");
            let ended_by = self
                .transition_to(generation + 1)
                .map(|notified| notified.cause);
            let helped = match (counts.counted_in, ended_by) {
                (CountedIn::Word, _) => 0,
                _ if generation == self.last.generation => 0,
                (CountedIn::Ring, Some(Cause::Tripped)) => 1,
                // All other threads' failures were counted while one tripped.
                (CountedIn::Buckets, Some(Cause::Tripped)) => threads - 1,
                // The period ended between entry and index, or its end was missed.
                _ => threads,
            };
            assert!(
                !in_window || counted.failures < counts.failures + helped,
                "{} failures did not trip generation {generation}",
                counted.failures
            );
        }
        if self.last.stored_state == State::Closed {
            let CountedOutcomes {
                failures,
                successes,
            } = periods
                .get(&self.last.generation)
                .copied()
                .unwrap_or_default();
            if successes == 0 || failures + successes <= counts.among {
                assert_eq!(
                    self.last.failures,
                    Some(failures),
                    "the applied failures are counted"
                );
            }
        }
    }

    /// I4.
    fn late_outcomes_are_stale(&self) {
        for call in &self.calls {
            match call.recorded {
                Recorded::Stale => assert_ne!(call.generation, self.last.generation),
                Recorded::Recovered | Recorded::Reopened => assert!(call.probe),
                Recorded::Tripped => assert!(!call.probe),
                _ => {}
            }
        }
    }
}

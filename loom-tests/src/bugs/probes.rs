//! Half-open periods that admit too many probes, or none any more.

use super::{
    Bug, bug,
    planted::{Planted, over_shipped},
};
use crate::{
    driver::{Shipped, unwritten},
    machine::{
        step::{Recorded, Report, admit, admit::RejectReason},
        tick::LeaseEnd,
        word::{HalfOpen, Period, Phase},
    },
    subject::{StepResult, Subject, Verdict, moment},
    sync::{AtomicU64, Ordering},
};

pub(super) const BUGS: &[Bug] = &[
    bug!(
        "I5",
        "half-open is not bounded: a call that finds the breaker half-open is admitted",
        "opossum #119; ldbc #731; failsafe 1.3.0 src/state_machine.rs, is_call_permitted",
        probe::half_open_never_admits_more_than_the_limit,
        Unbounded,
        "more probes than slots",
    ),
    bug!(
        "I5",
        "load, then subtract: the slots are counted by two operations",
        "circuitbreaker-rs 0.1.1 src/breaker.rs, pre_call; Netflix/concurrency-limits #140",
        probe::half_open_never_admits_more_than_the_limit,
        LoadThenSubtract,
        "more probes than slots",
    ),
    bug!(
        "I6",
        "a caller whose CAS to half-open fails is admitted like the one that won",
        "recloser 1.4.0 src/recloser.rs, call_permitted",
        probe::of_two_callers_one_gets_the_only_slot,
        LoserIsAdmitted,
        "a slot each",
    ),
    bug!(
        "I6",
        "a caller whose CAS for a slot fails is admitted without a slot",
        "hedzr/go-ringbuf pull 10: a ring, no breaker",
        probe::two_callers_get_two_slots,
        LoserIsAdmitted,
        "a slot each",
    ),
    bug!(
        "I8, I13",
        "the slot is not released on cancel",
        "monix #1080; rezilience pull 521; getnora-io/nora #585",
        probe::half_open_never_admits_more_than_the_limit,
        NotGivenBack,
        "every slot was given back",
    ),
    bug!(
        "I9",
        "probes have no lease: a probe that never reports keeps the breaker half-open for good",
        "resilience4j #935; Sentinel #1638; OmniRoute #13836",
        lease::two_callers_expire_a_lease_once,
        NoLease,
        "busy",
    ),
    bug!(
        "I9, I16",
        "half-range comparison of a lease that wraps",
        "our prototypes, wedged for days; no public report verified",
        lease::a_lease_that_ended_a_week_ago_expires_once,
        HalfRange,
        "expired once",
    ),
];

/// The current half-open period, if there is one.
fn half_open(shipped: &Shipped) -> Option<(Period, HalfOpen)> {
    let word = shipped.word();
    match word.phase() {
        Phase::HalfOpen(half_open) => Some((word.period(), half_open)),
        _ => None,
    }
}

fn admitted(shipped: &Shipped, period: Period) -> StepResult {
    unwritten(shipped.word(), Verdict::Admitted(period))
}

fn busy(shipped: &Shipped) -> StepResult {
    unwritten(
        shipped.word(),
        Verdict::Rejected(RejectReason::Busy { remaining: 1 }),
    )
}

over_shipped!(Unbounded {
    fn admit(&self, clock: &dyn Fn() -> u64) -> StepResult {
        match half_open(&self.0) {
            Some((period, _)) => admitted(&self.0, period),
            None => self.0.admit(clock),
        }
    }
});

struct LoadThenSubtract {
    shipped: Shipped,
    left: AtomicU64,
}

impl Planted for LoadThenSubtract {
    fn over(shipped: Shipped) -> Self {
        let left = AtomicU64::new(shipped.rules.probes.into());
        Self { shipped, left }
    }

    fn shipped(&self) -> &Shipped {
        &self.shipped
    }

    fn admit(&self, clock: &dyn Fn() -> u64) -> StepResult {
        let Some((period, _)) = half_open(&self.shipped) else {
            return self.shipped.admit(clock);
        };
        if self.left.load(Ordering::Acquire) == 0 {
            return busy(&self.shipped);
        }
        self.left.fetch_sub(1, Ordering::AcqRel);
        admitted(&self.shipped, period)
    }

    fn record(&self, period: Period, report: Report) -> StepResult {
        self.left.fetch_add(1, Ordering::AcqRel);
        self.shipped.record(period, report)
    }
}

over_shipped!(LoserIsAdmitted {
    fn admit(&self, clock: &dyn Fn() -> u64) -> StepResult {
        let seen = self.0.word();
        if half_open(&self.0).is_some_and(|(_, now)| now.in_flight >= self.0.rules.probes) {
            return busy(&self.0);
        }
        let next = admit(seen, &self.0.rules, moment(clock())).word;
        let won = self.0.word.replace(seen, next).is_ok();
        StepResult {
            before: if won { seen } else { next },
            ..unwritten(next, Verdict::Admitted(next.period()))
        }
    }
});

over_shipped!(NotGivenBack {
    fn record(&self, period: Period, report: Report) -> StepResult {
        match report {
            Report::Ignored => unwritten(self.0.word(), Verdict::Recorded(Recorded::Unrecorded)),
            report => self.0.record(period, report),
        }
    }
});

over_shipped!(NoLease {
    fn admit(&self, clock: &dyn Fn() -> u64) -> StepResult {
        match half_open(&self.0) {
            Some((_, full)) if full.in_flight >= self.0.rules.probes => busy(&self.0),
            _ => self.0.admit(clock),
        }
    }
});

over_shipped!(HalfRange {
    fn admit(&self, clock: &dyn Fn() -> u64) -> StepResult {
        const HALF: u64 = 1 << (LeaseEnd::BITS - 1);
        match half_open(&self.0) {
            Some((_, full))
                if full.in_flight >= self.0.rules.probes
                    && (1..HALF).contains(&full.lease_end.since(LeaseEnd::of(clock()))) =>
            {
                busy(&self.0)
            }
            _ => self.0.admit(clock),
        }
    }
});

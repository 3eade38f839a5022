//! A ring whose slot is taken before its cell is written.

use super::{Bug, bug, planted::Planted};
use crate::{
    driver::Shipped,
    machine::{
        atomic_word::Decided,
        core::Core,
        step::{
            Recorded, Report, Step,
            record::{Counted, count_failure},
        },
        trip::payload::Payload,
        word::{Period, Phase, Word},
    },
    subject::{Did, Said, Subject},
    sync::{AtomicU64, Ordering},
};

pub(super) const BUGS: &[Bug] = &[bug!(
    "I14",
    "the ticket is taken before the cell is written: a reader in between finds a gap",
    "our prototypes, lost trips and false ones; no public report verified",
    failure_ring::two_failures_of_the_last_calls_trip_once,
    TicketFirst,
    "no lost trip",
)];

/// Two failures among the last two calls trip.
struct TicketFirst {
    shipped: Shipped,
    written: [AtomicU64; 2],
}

impl Planted for TicketFirst {
    fn over(shipped: Shipped) -> Self {
        Self {
            shipped,
            written: [AtomicU64::new(0), AtomicU64::new(0)],
        }
    }

    fn shipped(&self) -> &Shipped {
        &self.shipped
    }

    fn report(&self, period: Period, report: Report) -> Did {
        let Report::Failure { moment, .. } = report else {
            return self.shipped.report(period, report);
        };
        let Core { cell, rules, .. } = &*self.shipped;
        let step = |word, verdict| Step { word, verdict };
        let ticket = cell.transition(
            self.shipped.word(),
            (),
            || (),
            |word: Word, ()| match word.phase() {
                Phase::Closed(payload) if word.is_of(period) => {
                    let next = Payload::new(payload).with_next_place(2).bits();
                    step(word.with_payload(next), Recorded::Applied)
                }
                _ => step(word, Recorded::Stale),
            },
        );
        let Phase::Closed(payload) = ticket.before.phase() else {
            return did(ticket);
        };
        let place = Payload::new(payload).place().index;
        self.written[place].store(1, Ordering::Release);
        if self.written[1 - place].load(Ordering::Acquire) == 0 {
            return did(ticket);
        }
        let tripped = cell.transition(
            ticket.after,
            (),
            || (),
            |word, ()| {
                if !word.is_of(period) {
                    return step(word, Recorded::Applied);
                }
                match count_failure(word, word.payload(), true, rules) {
                    Counted::Stays(step) => step,
                    Counted::Trips(trip) => trip.open(0, rules, moment),
                }
            },
        );
        did(tripped)
    }
}

fn did(decided: Decided<(), Recorded>) -> Did {
    Did {
        said: Said::Recorded(decided.verdict),
        before: decided.before,
        after: decided.after,
        counted: None,
    }
}

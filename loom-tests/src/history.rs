//! Histories of requests and responses for the checker, and the steps that must explain them (I24).
//!
//! The word is the whole state only for a trip that is counted in it, so the histories are of such
//! trips.

use std::cell::Cell;

use histories::{Event, Specification, WitnessOrder, check};

use crate::{
    machine::{
        rules::Rules,
        step::{AdmitVerdict, Command, Recorded, Report, admit, operate, record},
        word::{Period, Word},
    },
    subject::{Did, Said, Subject, moment},
};

/// An operation, with all inputs of its decision.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked {
    /// A request for admission, with the last reading of the clock. The request reads the clock
    /// again for each word that it decides on, and not at all for a healthy word.
    Admit {
        read: Option<u64>,
    },
    Report {
        period: Period,
        report: Report,
    },
    Operate {
        verb: Command,
        now: u64,
    },
}

/// The response, and whether that step ended a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) said: Said,
    ended: bool,
}

pub(crate) type Heard = Event<Asked, Response>;

/// Sends requests to a subject, and records its responses.
pub(crate) struct Witness<'a, S> {
    subject: &'a S,
    pub(crate) heard: Vec<Heard>,
}

thread_local! {
    /// Number of operations that have ended. loom and shuttle run all threads of an execution on
    /// one system thread. So this number gives the order in which operations ended, without an
    /// access that they schedule.
    static ENDED: Cell<u64> = const { Cell::new(0) };
}

impl<'a, S: Subject> Witness<'a, S> {
    pub(crate) fn of(subject: &'a S) -> Self {
        Self {
            subject,
            heard: Vec::new(),
        }
    }

    /// Requests admission, and returns the period of the permit, if there is one.
    pub(crate) fn admit(&mut self, clock: impl Fn() -> u64) -> Option<Period> {
        let read = Cell::new(None);
        let did = self.subject.admit(&|| {
            let now = clock();
            read.set(Some(now));
            now
        });
        self.hear(Asked::Admit { read: read.get() }, did);
        did.admitted()
    }

    pub(crate) fn report(&mut self, period: Period, report: Report) {
        let did = self.subject.report(period, report);
        self.hear(Asked::Report { period, report }, did);
    }

    pub(crate) fn operate(&mut self, verb: Command, now: u64) {
        let did = self.subject.operate(verb, now);
        self.hear(Asked::Operate { verb, now }, did);
    }

    /// Requests admission, and reports `report` if it is granted.
    pub(crate) fn call(&mut self, clock: impl Fn() -> u64, report: Report) {
        if let Some(period) = self.admit(clock) {
            self.report(period, report);
        }
    }

    fn hear(&mut self, operation: Asked, did: Did) {
        ENDED.set(ENDED.get() + 1);
        self.heard.push(Event {
            operation,
            response: Response {
                said: did.said,
                ended: did.is_transition(),
            },
            hint: ENDED.get(),
        });
    }
}

/// The pure steps of the machine.
struct Steps(Rules);

impl Specification for Steps {
    type State = Word;
    type Operation = Asked;
    type Response = Response;

    fn step(&self, word: &Word, asked: &Asked) -> impl IntoIterator<Item = (Word, Response)> {
        let Self(rules) = self;
        let (after, said) = match *asked {
            // Without the clock a call is admitted by a closed word, and by no other.
            Asked::Admit { read: None } if !word.is_closed() => return None,
            Asked::Admit { read: None } => (*word, Said::Admitted(word.period())),
            Asked::Admit { read: Some(now) } => {
                let step = admit(*word, rules, moment(now));
                let said = match step.verdict {
                    AdmitVerdict::Admitted(period) => Said::Admitted(period),
                    AdmitVerdict::Rejected(reason) => Said::Rejected(reason),
                };
                (step.word, said)
            }
            Asked::Report { period, report } => {
                let step = record(*word, period, report, rules);
                (step.word, Said::Recorded(step.verdict))
            }
            Asked::Operate { verb, now } => {
                let step = operate(*word, verb, rules, moment(now));
                (step.word, Said::Found(step.verdict))
            }
        };
        let ended = after.period() != word.period();
        Some((after, Response { said, ended }))
    }

    fn changes_nothing(&self, _: &Asked, response: &Response) -> bool {
        match response.said {
            Said::Admitted(period) => !period.is_half_open(),
            Said::Rejected(_) | Said::Found(_) => !response.ended,
            Said::Recorded(recorded) => recorded == Recorded::Stale,
        }
    }
}

/// The order of steps from `first` to `last` that explains the recorded history.
///
/// # Panics
///
/// If there is no such order.
pub(crate) fn explained(
    first: Word,
    last: Word,
    rules: Rules,
    heard: &[Vec<Heard>],
) -> WitnessOrder {
    check(&Steps(rules), first, heard, |word| *word == last)
        .unwrap_or_else(|violation| panic!("from {first:?} to {last:?}, {violation}"))
}

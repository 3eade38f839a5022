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
    subject::{StepResult, Subject, Verdict, moment},
};

/// An operation, with all inputs of its decision.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Invocation {
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
        command: Command,
        now: u64,
    },
}

/// The response, and whether that step ended a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) verdict: Verdict,
    ended: bool,
}

pub(crate) type HistoryEvent = Event<Invocation, Response>;

/// Sends requests to a subject, and records its responses.
pub(crate) struct Recorder<'a, S> {
    subject: &'a S,
    pub(crate) events: Vec<HistoryEvent>,
}

thread_local! {
    /// Number of operations that have ended. loom and shuttle run all threads of an execution on
    /// one system thread. So this number gives the order in which operations ended, without an
    /// access that they schedule.
    static ENDED: Cell<u64> = const { Cell::new(0) };
}

impl<'a, S: Subject> Recorder<'a, S> {
    pub(crate) fn of(subject: &'a S) -> Self {
        Self {
            subject,
            events: Vec::new(),
        }
    }

    /// Requests admission, and returns the period of the permit, if there is one.
    pub(crate) fn admit(&mut self, clock: impl Fn() -> u64) -> Option<Period> {
        let read = Cell::new(None);
        let result = self.subject.admit(&|| {
            let now = clock();
            read.set(Some(now));
            now
        });
        self.push(Invocation::Admit { read: read.get() }, result);
        result.admitted()
    }

    pub(crate) fn record(&mut self, period: Period, report: Report) {
        let result = self.subject.record(period, report);
        self.push(Invocation::Report { period, report }, result);
    }

    pub(crate) fn operate(&mut self, command: Command, now: u64) {
        let result = self.subject.operate(command, now);
        self.push(Invocation::Operate { command, now }, result);
    }

    /// Requests admission, and records `report` if it is granted.
    pub(crate) fn call(&mut self, clock: impl Fn() -> u64, report: Report) {
        if let Some(period) = self.admit(clock) {
            self.record(period, report);
        }
    }

    fn push(&mut self, operation: Invocation, result: StepResult) {
        ENDED.set(ENDED.get() + 1);
        self.events.push(Event {
            operation,
            response: Response {
                verdict: result.verdict,
                ended: result.is_transition(),
            },
            hint: ENDED.get(),
        });
    }
}

/// The pure steps of the machine.
struct Steps(Rules);

impl Specification for Steps {
    type State = Word;
    type Operation = Invocation;
    type Response = Response;

    fn step(
        &self,
        word: &Word,
        invocation: &Invocation,
    ) -> impl IntoIterator<Item = (Word, Response)> {
        let Self(rules) = self;
        let (after, verdict) = match *invocation {
            // Without the clock a call is admitted by a closed word, and by no other.
            Invocation::Admit { read: None } if !word.is_closed() => return None,
            Invocation::Admit { read: None } => (*word, Verdict::Admitted(word.period())),
            Invocation::Admit { read: Some(now) } => {
                let step = admit(*word, rules, moment(now));
                let verdict = match step.verdict {
                    AdmitVerdict::Admitted(period) => Verdict::Admitted(period),
                    AdmitVerdict::Rejected(reason) => Verdict::Rejected(reason),
                };
                (step.word, verdict)
            }
            Invocation::Report { period, report } => {
                let step = record(*word, period, report, rules);
                (step.word, Verdict::Recorded(step.verdict))
            }
            Invocation::Operate { command, now } => {
                let step = operate(*word, command, rules, moment(now));
                (step.word, Verdict::Found(step.verdict))
            }
        };
        let ended = after.period() != word.period();
        Some((after, Response { verdict, ended }))
    }

    fn changes_nothing(&self, _: &Invocation, response: &Response) -> bool {
        match response.verdict {
            Verdict::Admitted(period) => !period.is_half_open(),
            Verdict::Rejected(_) | Verdict::Found(_) => !response.ended,
            Verdict::Recorded(recorded) => recorded == Recorded::Stale,
        }
    }
}

/// The order of steps from `first` to `last` that explains the recorded history.
///
/// # Panics
///
/// If there is no such order.
pub(crate) fn check_history(
    first: Word,
    last: Word,
    rules: Rules,
    events: &[Vec<HistoryEvent>],
) -> WitnessOrder {
    check(&Steps(rules), first, events, |word| *word == last)
        .unwrap_or_else(|violation| panic!("from {first:?} to {last:?}, {violation}"))
}

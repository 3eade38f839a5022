//! Listeners that are notified in no order, or under a lock.

use std::marker::PhantomData;

use super::{Bug, bug};
use crate::{
    backend::Mutex,
    driver::Shipped,
    machine::{
        rules::Rules,
        step::{Command, RawTransition, Report},
        trip::Count,
        word::{Period, Word},
    },
    subject::{Dispatcher, Notification, StepResult, Subject},
};

pub(super) const BUGS: &[Bug] = &[
    bug!(
        "I19",
        "listeners are notified right after the CAS, in no order",
        "gastownhall/gascity pull 4839, which was reproduced; Kevlar #24",
        transition_queue::transitions_are_delivered_in_order,
        WithDispatcher<AtOnce>,
        "not one at a time",
    ),
    bug!(
        "I18, I19",
        "listeners are notified under a lock: a listener that makes a transition waits for itself",
        "gobreaker #37, gone into in its pull 119",
        transition_queue::a_transition_of_a_listener_is_delivered_after_it_returns,
        WithDispatcher<UnderALock>,
        "deadlock",
    ),
];

/// The shipped machine with another dispatcher.
struct WithDispatcher<T>(Shipped, PhantomData<T>);

impl<T: Dispatcher> Subject for WithDispatcher<T> {
    type Dispatcher = T;
    type Waker = <Shipped as Subject>::Waker;

    fn at(word: Word, rules: Rules) -> Self {
        Self(Shipped::at(word, rules), PhantomData)
    }

    fn word(&self) -> Word {
        self.0.word()
    }

    fn admit(&self, clock: &dyn Fn() -> u64) -> StepResult {
        self.0.admit(clock)
    }

    fn record(&self, period: Period, report: Report) -> StepResult {
        self.0.record(period, report)
    }

    fn operate(&self, command: Command, now: u64) -> StepResult {
        self.0.operate(command, now)
    }

    fn counted(&self, now: u64) -> Count {
        self.0.counted(now)
    }
}

struct AtOnce;

impl Dispatcher for AtOnce {
    fn beginning_at(_: u16) -> Self {
        Self
    }

    fn notify(&self, change: RawTransition, _: &dyn Fn() -> u16, listen: &dyn Fn(Notification)) {
        listen(Notification {
            generation: change.generation,
            missed: 0,
        });
    }
}

struct UnderALock(Mutex<()>);

impl Dispatcher for UnderALock {
    fn beginning_at(_: u16) -> Self {
        Self(Mutex::new(()))
    }

    fn notify(
        &self,
        change: RawTransition,
        newest: &dyn Fn() -> u16,
        listen: &dyn Fn(Notification),
    ) {
        let _guard = self.0.lock().expect("no listener panics");
        AtOnce.notify(change, newest, listen);
    }
}

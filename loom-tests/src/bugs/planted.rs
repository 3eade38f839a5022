//! A subject that differs from the shipped one in what it breaks only.

use crate::{
    driver::Shipped,
    machine::{
        rules::Rules,
        step::{Command, Report},
        trip::Count,
        word::{Period, Word},
    },
    subject::{StepResult, Subject},
};

pub(super) trait Planted: Send + Sync + 'static {
    fn over(shipped: Shipped) -> Self;

    fn shipped(&self) -> &Shipped;

    fn admit(&self, clock: &dyn Fn() -> u64) -> StepResult {
        self.shipped().admit(clock)
    }

    fn record(&self, period: Period, report: Report) -> StepResult {
        self.shipped().record(period, report)
    }
}

impl<P: Planted> Subject for P {
    type Dispatcher = <Shipped as Subject>::Dispatcher;
    type Waker = <Shipped as Subject>::Waker;

    fn at(word: Word, rules: Rules) -> Self {
        Self::over(Shipped::at(word, rules))
    }

    fn word(&self) -> Word {
        self.shipped().word()
    }

    fn admit(&self, clock: &dyn Fn() -> u64) -> StepResult {
        Planted::admit(self, clock)
    }

    fn record(&self, period: Period, report: Report) -> StepResult {
        Planted::record(self, period, report)
    }

    fn operate(&self, command: Command, now: u64) -> StepResult {
        self.shipped().operate(command, now)
    }

    fn counted(&self, now: u64) -> Count {
        self.shipped().counted(now)
    }
}

/// A newtype around the shipped subject.
macro_rules! over_shipped {
    ($name:ident { $($broken:item)* }) => {
        struct $name(Shipped);

        impl Planted for $name {
            fn over(shipped: Shipped) -> Self {
                Self(shipped)
            }

            fn shipped(&self) -> &Shipped {
                &self.0
            }

            $($broken)*
        }
    };
}
pub(super) use over_shipped;

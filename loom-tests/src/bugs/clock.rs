//! An old reading of the clock that meets a newer word.

use std::cell::OnceCell;

use super::{
    Bug, bug,
    planted::{Planted, over_shipped},
};
use crate::{
    driver::Shipped,
    subject::{StepResult, Subject},
};

pub(super) const BUGS: &[Bug] = &[
    bug!(
        "I11",
        "the clock is read before the word is loaded",
        "our prototypes; pragmaticalabs/pragmatica #1315: a rate limiter",
        probe::no_call_is_admitted_before_the_current_deadline,
        ReadBefore,
        "admitted before the deadline",
    ),
    bug!(
        "I11",
        "a reading of the clock is kept after a failed CAS",
        "our prototypes; pragmaticalabs/pragmatica #1315: a rate limiter",
        probe::no_call_is_admitted_before_the_current_deadline,
        KeptOverALoss,
        "admitted before the deadline",
    ),
];

over_shipped!(ReadBefore {
    fn admit(&self, clock: &dyn Fn() -> u64) -> StepResult {
        let now = clock();
        self.0.admit(&|| now)
    }
});

over_shipped!(KeptOverALoss {
    fn admit(&self, clock: &dyn Fn() -> u64) -> StepResult {
        let first = OnceCell::new();
        self.0.admit(&|| *first.get_or_init(clock))
    }
});

//! Bugs that the history checker finds.

use super::{
    Bug, bug,
    in_word::{InWord, NoGenerationCheck, WinnerAndLoserBothAdmitted},
};

pub(super) const BUGS: &[Bug] = &[
    bug!(
        "I24",
        "no generation check, as a history",
        "the same",
        history::a_trip_and_its_probes_have_an_order,
        InWord<NoGenerationCheck>,
        "no order of single steps explains",
    ),
    bug!(
        "I24",
        "a caller whose CAS fails is admitted like the one that won, as a history",
        "the same",
        history::probes_and_their_ends_have_an_order,
        InWord<WinnerAndLoserBothAdmitted>,
        "no order of single steps explains",
    ),
];

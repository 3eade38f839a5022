//! Statistics of a run of many histories.

use std::{
    collections::HashSet,
    fmt::{self, Debug},
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::{Event, WitnessOrder};

/// Number of histories that were verified, and the size of the searches.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    histories: usize,
    operations: usize,
    switches: usize,
    widest: usize,
    /// Hashes of all responses of a history.
    outcomes: HashSet<u64>,
}

impl Stats {
    /// Adds a verified history.
    pub fn add<O, A: Debug>(&mut self, threads: &[Vec<Event<O, A>>], witness_order: &WitnessOrder) {
        self.histories += 1;
        self.operations += witness_order.order.len();
        self.switches += witness_order.switches();
        self.widest = self.widest.max(witness_order.nodes);
        let mut hasher = DefaultHasher::new();
        for events in threads {
            for event in events {
                format!("{:?}", event.response).hash(&mut hasher);
            }
            '|'.hash(&mut hasher);
        }
        self.outcomes.insert(hasher.finish());
    }

    /// Number of histories verified.
    #[must_use]
    pub fn histories(&self) -> usize {
        self.histories
    }

    /// Number of histories with distinct responses.
    #[must_use]
    pub fn outcomes(&self) -> usize {
        self.outcomes.len()
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (histories, operations) = (self.histories, self.operations);
        let (outcomes, switches, widest) = (self.outcomes.len(), self.switches, self.widest);
        write!(
            f,
            "{histories} histories explained, {operations} operations, {outcomes} distinct outcomes, \
             {switches} switches between threads, widest search {widest} nodes"
        )
    }
}

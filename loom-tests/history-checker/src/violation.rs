//! Report of a history that no order explains.

use std::{
    error::Error,
    fmt::{self, Write as _},
};

use crate::{Specification, search::Search};

/// A history that was not explained. Its `Display` shows the longest explained prefix, and why the
/// next operations do not fit.
#[derive(Clone, Debug)]
pub struct Violation {
    prefix: Vec<usize>,
    nodes: usize,
    refuted: bool,
    text: String,
}

impl Violation {
    /// Whether every order was tried. If not, the search grew too wide and the result is unknown.
    #[must_use]
    pub fn is_refuted(&self) -> bool {
        self.refuted
    }

    /// The thread of each operation in the longest explained prefix.
    #[must_use]
    pub fn prefix(&self) -> &[usize] {
        &self.prefix
    }

    /// Number of distinct (positions, state) pairs visited.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.refuted {
            "no order of single steps explains this history"
        } else {
            "gave up looking for an order of single steps"
        };
        write!(f, "{verdict} ({} nodes)\n{}", self.nodes, self.text)
    }
}

impl Error for Violation {}

impl<S: Specification> Search<'_, S> {
    pub(crate) fn failure(
        &self,
        prefix: Vec<usize>,
        state: &S::State,
        nodes: usize,
        refuted: bool,
    ) -> Violation {
        let text = self
            .describe(&prefix, state)
            .unwrap_or_else(|error| unreachable!("writing to a string never fails: {error}"));
        Violation {
            prefix,
            nodes,
            refuted,
            text,
        }
    }

    fn describe(&self, prefix: &[usize], state: &S::State) -> Result<String, fmt::Error> {
        let mut text = String::new();
        let mut placed = vec![0; self.threads.len()];
        writeln!(text, "the longest prefix that one explains:")?;
        for &thread in prefix {
            let event = &self.threads[thread][placed[thread]];
            placed[thread] += 1;
            let (operation, response) = (&event.operation, &event.response);
            writeln!(text, "  thread {thread}: {operation:?} -> {response:?}")?;
        }
        writeln!(text, "leads to {state:?}, where")?;
        let mut all = true;
        for (thread, (events, at)) in self.threads.iter().zip(placed).enumerate() {
            let Some(event) = events.get(at) else {
                continue;
            };
            all = false;
            let (operation, got) = (&event.operation, &event.response);
            let may: Vec<_> = self
                .specification
                .step(state, operation)
                .into_iter()
                .map(|(_, response)| response)
                .collect();
            writeln!(
                text,
                "  thread {thread}: {operation:?} got {got:?} and may get {may:?}"
            )?;
        }
        if all {
            writeln!(
                text,
                "  all operations are placed, but the last state is another"
            )?;
        }
        Ok(text)
    }
}

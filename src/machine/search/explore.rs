//! Breadth-first search, so that the first history that reaches a configuration is a shortest one.

use std::{collections::HashSet, fmt, iter::Sum, thread};

use super::{
    super::{
        rules::Rules,
        step::{AdmitVerdict, admit, operate},
        word::Word,
    },
    canonical::CanonicalForm,
    configuration::{Configuration, HeldPermit},
    edges,
    ends::end,
    inputs::{Input, inputs},
    words,
};

/// Result of a search.
pub(super) struct Explored {
    pub(super) stats: Stats,
    pub(super) words: HashSet<Word>,
}

/// Size of a search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stats {
    pub(super) states: usize,
    pub(super) edges: usize,
}

/// A visited configuration, and the input that led to it from an earlier one.
struct Visited {
    configuration: Configuration,
    from: Option<(usize, Input)>,
}

/// Plays every input in every configuration, with all checks.
pub(super) fn explore(rules: &Rules, form: CanonicalForm) -> Explored {
    let first = Configuration::first(rules, form);
    let mut known = HashSet::from([first.clone()]);
    let mut words = HashSet::new();
    let mut visited = vec![Visited {
        configuration: first,
        from: None,
    }];
    let mut edges = 0;
    let mut here = 0;
    while here < visited.len() {
        let configuration = visited[here].configuration.clone();
        if words.insert(configuration.word) {
            let _counterexample = Counterexample(&visited, here, None);
            words::check(configuration.word, rules);
        }
        for input in inputs(&configuration, rules) {
            edges += 1;
            let next = {
                let _counterexample = Counterexample(&visited, here, Some(input));
                play(&configuration, input, rules).at(form)
            };
            if known.insert(next.clone()) {
                visited.push(Visited {
                    configuration: next,
                    from: Some((here, input)),
                });
            }
        }
        here += 1;
    }
    let states = visited.len();
    Explored {
        stats: Stats { states, edges },
        words,
    }
}

/// The configuration after this input.
fn play(configuration: &Configuration, input: Input, rules: &Rules) -> Configuration {
    let word = configuration.word;
    let next = match input {
        Input::Admit(moment) => {
            let step = admit(word, rules, moment);
            edges::admission::check(word, rules, moment, &step);
            match step.verdict {
                AdmitVerdict::Admitted(_) => configuration
                    .under(step.word)
                    .with(HeldPermit::of(step.word)),
                AdmitVerdict::Rejected(_) => configuration.under(step.word),
            }
        }
        Input::Report(permit, report, window_trips) => {
            let period = permit.period(word);
            let step = end(word, period, report, window_trips, rules);
            edges::outcome::check(word, period, report, rules, &step);
            configuration.clone().without(permit).under(step.word)
        }
        Input::Leak(permit) => configuration.clone().leaking(permit),
        Input::Operate(command, moment) => {
            let step = operate(word, command, rules, moment);
            edges::operator::check(word, command, rules, moment, &step);
            configuration.under(step.word)
        }
    };
    next.i5_each_slot_is_a_probe_of_this_period(rules);
    next
}

/// Prints the history that led to a failed check.
struct Counterexample<'a>(&'a [Visited], usize, Option<Input>);

impl Drop for Counterexample<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let Self(visited, mut here, input) = *self;
            let mut lines = vec![format!(
                "  {:?}\n  then {input:?}",
                visited[here].configuration
            )];
            while let Some((from, input)) = visited[here].from {
                here = from;
                lines.push(format!("  {:?}\n  {input:?}", visited[here].configuration));
            }
            lines.reverse();
            eprintln!("counterexample:\n{}", lines.join("\n"));
        }
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, edges } = *self;
        write!(f, "{} states, {} edges", grouped(states), grouped(edges))
    }
}

impl Sum for Stats {
    fn sum<I: Iterator<Item = Self>>(all_stats: I) -> Self {
        all_stats.fold(Self::default(), |sum, one| Self {
            states: sum.states + one.states,
            edges: sum.edges + one.edges,
        })
    }
}

/// Formats a number in groups of three digits.
fn grouped(n: usize) -> String {
    if n < 1_000 {
        n.to_string()
    } else {
        format!("{} {:03}", grouped(n / 1_000), n % 1_000)
    }
}

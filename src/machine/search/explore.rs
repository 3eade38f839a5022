//! The search itself: breadth first, so that the first history that leads to a scene is a shortest one.

use std::{collections::HashSet, fmt, iter::Sum, thread};

use super::{
    super::{
        rules::Rules,
        step::{Admission, admit, operate},
        word::Word,
    },
    edges,
    ends::end,
    home::Home,
    inputs::{Input, inputs},
    scene::{Permit, Scene},
    words,
};

/// What a search explored.
pub(super) struct Explored {
    pub(super) census: Census,
    pub(super) words: HashSet<Word>,
}

/// How much that is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Census {
    pub(super) states: usize,
    pub(super) edges: usize,
}

/// A scene, and the input that led to it from an earlier one.
struct Reached {
    scene: Scene,
    from: Option<(usize, Input)>,
}

/// Plays every input in every scene, and checks everything.
pub(super) fn explore(rules: &Rules, home: Home) -> Explored {
    let first = Scene::first(rules, home);
    let mut known = HashSet::from([first.clone()]);
    let mut words = HashSet::new();
    let mut reached = vec![Reached {
        scene: first,
        from: None,
    }];
    let mut edges = 0;
    let mut here = 0;
    while here < reached.len() {
        let scene = reached[here].scene.clone();
        if words.insert(scene.word) {
            let _trail = Trail(&reached, here, None);
            words::check(scene.word, rules);
        }
        for input in inputs(&scene, rules) {
            edges += 1;
            let next = {
                let _trail = Trail(&reached, here, Some(input));
                play(&scene, input, rules).at(home)
            };
            if known.insert(next.clone()) {
                reached.push(Reached {
                    scene: next,
                    from: Some((here, input)),
                });
            }
        }
        here += 1;
    }
    let states = reached.len();
    Explored {
        census: Census { states, edges },
        words,
    }
}

/// The scene after this input.
fn play(scene: &Scene, input: Input, rules: &Rules) -> Scene {
    let word = scene.word;
    let next = match input {
        Input::Admit(moment) => {
            let step = admit(word, rules, moment);
            edges::admission::check(word, rules, moment, &step);
            match step.verdict {
                Admission::Admitted(_) => scene.under(step.word).with(Permit::of(step.word)),
                Admission::Rejected(_) => scene.under(step.word),
            }
        }
        Input::Report(permit, vote, window_trips) => {
            let period = permit.period(word);
            let step = end(word, period, vote, window_trips, rules);
            edges::outcome::check(word, period, vote, rules, &step);
            scene.clone().without(permit).under(step.word)
        }
        Input::Forget(permit) => scene.clone().forgetting(permit),
        Input::Operate(verb, moment) => {
            let step = operate(word, verb, rules, moment);
            edges::operator::check(word, verb, rules, moment, &step);
            scene.under(step.word)
        }
    };
    next.i5_each_place_is_a_probe_of_this_period(rules);
    next
}

/// Prints the history that led to a check that fails.
struct Trail<'a>(&'a [Reached], usize, Option<Input>);

impl Drop for Trail<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let Self(reached, mut here, input) = *self;
            let mut lines = vec![format!("  {:?}\n  then {input:?}", reached[here].scene)];
            while let Some((from, input)) = reached[here].from {
                here = from;
                lines.push(format!("  {:?}\n  {input:?}", reached[here].scene));
            }
            lines.reverse();
            eprintln!("the history that fails:\n{}", lines.join("\n"));
        }
    }
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, edges } = *self;
        write!(f, "{} states, {} edges", grouped(states), grouped(edges))
    }
}

impl Sum for Census {
    fn sum<I: Iterator<Item = Self>>(censuses: I) -> Self {
        censuses.fold(Self::default(), |sum, one| Self {
            states: sum.states + one.states,
            edges: sum.edges + one.edges,
        })
    }
}

/// A number in groups of three digits.
fn grouped(n: usize) -> String {
    if n < 1_000 {
        n.to_string()
    } else {
        format!("{} {:03}", grouped(n / 1_000), n % 1_000)
    }
}

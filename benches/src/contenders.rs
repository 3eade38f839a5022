//! Contenders of each group.

use std::time::Duration;

use cutout::Trip;

use crate::{
    contender::{Contender, fail, succeed},
    dependency::Path,
    shapes,
    subjects::{
        self, Bare, BreakerMachines, Built, CircuitbreakerRs, CutoutDefault, CutoutInARow,
        CutoutOfLast, FailsafeInARow, FailsafeOverTime, FastClock, NoBreaker, RecloserOfLast,
        Subject, Visitor, visit_all,
    },
    tower,
};

/// Baseline of a rejection, which needs at least this reading.
pub const RAW_CLOCK: &str = "one raw clock read";
const TEN_SECONDS: Duration = Duration::from_secs(10);

/// All subjects that have this path. For rejected calls, also a single clock reading.
#[must_use]
pub fn on(path: Path) -> Vec<Contender> {
    struct On(Path, Vec<Contender>);
    impl Visitor for On {
        fn visit<S: Subject>(&mut self) {
            self.1.extend(subject::<S>(self.0));
        }
    }
    let mut on = On(path, Vec::new());
    visit_all(&mut on);
    if path == Path::Rejected {
        let clock = quanta::Clock::new();
        on.1.push(Contender::new(RAW_CLOCK, move || clock.raw()));
    }
    on.1
}

/// All kinds of windows, and the closest windows of rivals.
#[must_use]
pub fn windows(path: Path) -> Vec<Contender> {
    let ours = |name, trip| {
        let breaker = subjects::cutout(trip, Built::AsNamed).build();
        Contender::calls(name, path, breaker)
    };
    // Calls without work are so frequent that even 1024 failures within 10 ms would trip.
    let within = Trip::failures(1_024).within(Duration::from_millis(10));
    let rare = subjects::cutout(within, Built::AsNamed).clock(&FastClock::<1_000>);
    let recloser = subjects::recloser(1_000).build();
    let mut all = vec![
        ours("cutout, 50 % of 1000", Trip::percent(50).of_last(1_000)),
        ours("cutout, 900 of 1000", Trip::failures(900).of_last(1_000)),
        Contender::calls("cutout, 1024 within 10 ms", path, rare.build()),
        ours(
            "cutout, 50 % within 10 s",
            Trip::percent(50).min_calls(20).within(TEN_SECONDS),
        ),
        Contender::calls("recloser, 50 % of 1000", path, recloser),
    ];
    all.extend(subject::<NoBreaker>(path));
    all.extend(subject::<CutoutInARow>(path));
    all.extend(subject::<CutoutOfLast>(path));
    all.extend(subject::<RecloserOfLast>(path));
    all.extend(subject::<FailsafeInARow>(path));
    all.extend(subject::<FailsafeOverTime>(path));
    all.extend(subject::<BreakerMachines>(path));
    all
}

/// Breakers with async calls. tower-resilience, which is a layer, is in `tower.rs`.
#[must_use]
pub fn asynchronous(path: Path) -> Vec<Contender> {
    let built = Built::AsNamed;
    let recloser = recloser::AsyncRecloser::from(RecloserOfLast::build(built));
    let machines = subjects::breaker_machines(built).build_async();
    vec![
        Contender::calls_async(NoBreaker::NAME, path, Bare),
        Contender::calls_async(CutoutDefault::NAME, path, CutoutDefault::build(built)),
        Contender::calls_async(CutoutInARow::NAME, path, CutoutInARow::build(built)),
        Contender::calls_async(FailsafeInARow::NAME, path, FailsafeInARow::build(built)),
        Contender::calls_async(RecloserOfLast::NAME, path, recloser),
        Contender::calls_async(CircuitbreakerRs::NAME, path, CircuitbreakerRs::build(built)),
        Contender::calls_async(BreakerMachines::NAME, path, machines),
    ]
}

/// Full cycles of all subjects that have one, and the bare calls of one cycle of cutout.
#[must_use]
pub fn cycling() -> Vec<Contender> {
    struct Cycling(Vec<Contender>);
    impl Visitor for Cycling {
        fn visit<S: Subject>(&mut self) {
            if let Some(cycle) = S::CYCLE {
                self.0.push(Contender::cycles::<S>(cycle));
            }
        }
    }
    let bare = |cycles| {
        (0..cycles)
            .map(|_| fail(&Bare, 5) + succeed(&Bare, 1))
            .sum()
    };
    let mut cycling = Cycling(vec![Contender::running(NoBreaker::NAME, 6, bare)]);
    visit_all(&mut cycling);
    cycling.0
}

/// Builds and drops each subject.
#[must_use]
pub fn building() -> Vec<Contender> {
    struct Building(Vec<Contender>);
    impl Visitor for Building {
        fn visit<S: Subject>(&mut self) {
            if S::NAME != NoBreaker::NAME {
                let build = || S::build(Built::AsNamed);
                self.0.push(Contender::new(S::NAME, build));
            }
        }
    }
    let mut building = Building(Vec::new());
    visit_all(&mut building);
    building.0
}

/// A subject on a path, if it has that path.
#[must_use]
pub fn subject<S: Subject>(path: Path) -> Option<Contender> {
    let breaker = match path {
        Path::NearlyAllFail if !S::CAN_TOLERATE_FAILURES => return None,
        Path::NearlyAllFail => S::build(Built::Tolerant),
        Path::Rejected if S::CYCLE.is_none() && S::NAME != NoBreaker::NAME => return None,
        _ => S::build(Built::AsNamed),
    };
    Some(Contender::calls(S::NAME, path, breaker))
}

/// Makes a list of contenders.
pub type List = Box<dyn Fn() -> Vec<Contender>>;

/// All groups by name. Each list is built when its turn comes.
#[must_use]
pub fn all() -> Vec<(String, List)> {
    let mut all: Vec<(String, List)> = Vec::new();
    for path in Path::ALL {
        all.push((path.title().into(), Box::new(move || on(path))));
    }
    for (shape, contenders) in shapes::ALL {
        all.push((shapes::group(shape), Box::new(contenders)));
    }
    for path in [Path::Healthy, Path::OneInAHundredFails, Path::OneInTenFails] {
        let name = format!("windows, {}", path.title());
        all.push((name, Box::new(move || windows(path))));
    }
    for path in [Path::Healthy, Path::Rejected] {
        let name = format!("async, {}", path.title());
        all.push((name, Box::new(move || asynchronous(path))));
        let name = format!("tower, {}", path.title());
        all.push((name, Box::new(move || tower::stacks(path))));
    }
    all.push(("trip and recover".into(), Box::new(cycling)));
    all.push(("build and drop".into(), Box::new(building)));
    all
}

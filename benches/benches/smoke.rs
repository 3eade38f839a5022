//! A first look at the costs of DESIGN.md §7, side by side in one run.
//!
//! Every contender makes the same calls in turn, round after round. On one thread the best round counts:
//! what is left is what the code costs when the machine is not busy with something else; on two, the
//! median. The *added cost* is that less the same of the bare call. `black_box` hides each call's input and result from the
//! optimiser, for all contenders alike. Run it with `cargo bench -p benches --bench smoke`.

use std::{
    hint::black_box,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use cutout::{Breaker, Trip, clock};
use failsafe::CircuitBreaker as _;

const CALLS: u32 = 1_000_000;
const ROUNDS: usize = 15;
const OPEN_FOR: Duration = Duration::from_hours(1);

/// What the partner does.
#[derive(Clone, Copy, PartialEq)]
enum Path {
    Healthy,
    OneInTenFails,
    Rejected,
}

impl Path {
    #[inline]
    fn partner(self, call: u32) -> Result<u32, ()> {
        match self {
            Self::OneInTenFails if call.is_multiple_of(10) => Err(()),
            _ => Ok(black_box(call)),
        }
    }
}

/// A way to make calls, and how many of them reached the partner.
type Contender = (&'static str, Box<dyn Fn(Path, u32) -> u32 + Sync>);

/// Makes `calls` calls through `$call`, which is given a closure, and counts those that arrive.
macro_rules! contender {
    ($name:expr, |$partner:ident| $call:expr) => {
        (
            $name,
            Box::new(move |path: Path, calls: u32| {
                let mut arrived = 0;
                // The path is a constant in each loop, so that no contender pays for the choice.
                match path {
                    Path::Healthy => {
                        for call in 0..calls {
                            let $partner = || {
                                arrived += 1;
                                Path::Healthy.partner(black_box(call))
                            };
                            let _ = black_box($call);
                        }
                    }
                    Path::OneInTenFails => {
                        for call in 0..calls {
                            let $partner = || {
                                arrived += 1;
                                Path::OneInTenFails.partner(black_box(call))
                            };
                            let _ = black_box($call);
                        }
                    }
                    Path::Rejected => {
                        for call in 0..calls {
                            let $partner = || {
                                arrived += 1;
                                Path::Rejected.partner(black_box(call))
                            };
                            let _ = black_box($call);
                        }
                    }
                }
                arrived
            }),
        )
    };
}

fn bare() -> Contender {
    contender!("bare call", |partner| {
        let mut partner = partner;
        partner()
    })
}

fn raw_clock() -> Contender {
    let clock = quanta::Clock::new();
    contender!("one raw clock read", |_partner| clock.raw())
}

fn ours(name: &'static str, trip: Option<Trip>, path: Path) -> Contender {
    let builder = Breaker::builder().open_for(OPEN_FOR);
    let builder = match trip {
        Some(trip) => builder.trip(trip),
        None => builder,
    };
    // A `static`, as most users have it, made at run time.
    let breaker: &'static Breaker = Box::leak(Box::new(builder.build()));
    if path == Path::Rejected {
        breaker.force_open_for(OPEN_FOR);
    }
    contender!(name, |partner| breaker.call(partner))
}

fn failsafe(path: Path) -> Contender {
    let policy =
        failsafe::failure_policy::consecutive_failures(5, failsafe::backoff::constant(OPEN_FOR));
    let breaker = failsafe::Config::new().failure_policy(policy).build();
    if path == Path::Rejected {
        while breaker.is_call_permitted() {
            let _ = breaker.call(|| Err::<(), _>(()));
        }
    }
    contender!("failsafe, consecutive(5)", |partner| breaker.call(partner))
}

fn recloser(path: Path) -> Contender {
    let breaker = recloser::Recloser::custom()
        .error_rate(0.5)
        .closed_len(20)
        .half_open_len(1)
        .open_wait(OPEN_FOR)
        .build();
    if path == Path::Rejected {
        while !matches!(
            breaker.call(|| Err::<(), _>(())),
            Err(recloser::Error::Rejected)
        ) {}
    }
    contender!("recloser, 50 % of 20", |partner| breaker.call(partner))
}

fn contenders(path: Path) -> Vec<Contender> {
    let mut all = vec![
        bare(),
        ours("cutout, default", None, path),
        ours("cutout, consecutive(5)", Some(Trip::consecutive(5)), path),
        ours(
            "cutout, 50 % of 20",
            Some(Trip::percent(50).of_last(20)),
            path,
        ),
        recloser(path),
        failsafe(path),
    ];
    if path == Path::Rejected {
        all.push(raw_clock());
    }
    all
}

/// Nanoseconds a call in one round, by the wall clock: from the start of the first thread to the end of
/// the last, so that threads which do not overlap can't look as if they did not meet.
fn round(contender: &Contender, path: Path, threads: usize) -> f64 {
    let barrier = Barrier::new(threads);
    let run = || {
        barrier.wait();
        let start = Instant::now();
        let arrived = (contender.1)(path, CALLS);
        let end = Instant::now();
        let expected = if path == Path::Rejected && !contender.0.starts_with("bare") {
            0
        } else {
            CALLS
        };
        assert_eq!(arrived, expected, "{} does not do its path", contender.0);
        (start, end)
    };
    let times: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let join = |thread: thread::ScopedJoinHandle<_>| thread.join().expect("a round ends");
        threads.into_iter().map(join).collect()
    });
    let start = times.iter().map(|(start, _)| *start).min();
    let end = times.iter().map(|(_, end)| *end).max();
    let wall = end
        .zip(start)
        .map_or(Duration::ZERO, |(end, start)| end - start);
    wall.as_secs_f64() * 1e9 / f64::from(CALLS)
}

fn measure(title: &str, path: Path) {
    for threads in [1, 2] {
        let contenders = contenders(path);
        let mut rounds = vec![Vec::new(); contenders.len()];
        for _ in 0..ROUNDS {
            for (rounds, contender) in rounds.iter_mut().zip(&contenders) {
                rounds.push(round(contender, path, threads));
            }
        }
        // Alone, the best round is the one that nobody disturbed. Two threads disturb each other, which
        // is what is to be seen: their median.
        let (kind, place) = if threads == 1 {
            ("best", 0)
        } else {
            ("median", ROUNDS / 2)
        };
        println!("\n{title}, {threads} thread(s): ns a call, {kind} of {ROUNDS} rounds of {CALLS}");
        println!("{:28} {:>8} {:>8}", "", "in all", "added");
        let mut bare = None;
        for ((name, _), rounds) in contenders.iter().zip(&mut rounds) {
            rounds.sort_by(f64::total_cmp);
            let time = rounds[place];
            let added = time - *bare.get_or_insert(time);
            println!("{name:28} {time:8.1} {added:8.1}");
        }
    }
}

fn main() {
    clock::warm_up();
    let only: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    for (title, path) in [
        ("healthy", Path::Healthy),
        ("rejected", Path::Rejected),
        ("one in ten fails", Path::OneInTenFails),
    ] {
        if only.is_empty() || only.iter().any(|name| title.contains(name.as_str())) {
            measure(title, path);
        }
    }
}

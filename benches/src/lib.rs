//! The harness of the benches: contenders make the same calls in turn, round after round.
//!
//! On one thread the best round counts: what is left is what the code costs when the machine is not busy
//! with something else; on two, the median. The *added cost* is that less the same of the bare call.
//! `black_box` hides each call's input and result from the optimiser, for all contenders alike.

use std::{
    env,
    hint::black_box,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use cutout::{Breaker, Builder, State};

const CALLS: u32 = 1_000_000;
const ROUNDS: usize = 15;
/// An open breaker stays open for the whole run.
pub const OPEN_FOR: Duration = Duration::from_hours(1);

/// What the partner does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// It never fails.
    Healthy,
    /// It fails in 0.1 % of the calls.
    OneInAThousandFails,
    /// It fails in 1 % of the calls.
    OneInAHundredFails,
    /// It fails in 10 % of the calls.
    OneInTenFails,
    /// It is not called, as the breaker is open.
    Rejected,
}

/// What a call fails with.
#[derive(Clone, Copy, Debug)]
pub struct Failed;

/// The partner: one call in `IN` fails, at even distances; none if that is 0. Not the first: after a pause it
/// weighs more than others in an average over time such as failsafe's, which would trip.
///
/// # Errors
///
/// In that call.
#[inline]
pub fn partner<const IN: u32>(call: u32) -> Result<u32, Failed> {
    if IN != 0 && call % IN == IN - 1 {
        Err(Failed)
    } else {
        Ok(black_box(call))
    }
}

/// A way to make calls.
#[expect(missing_debug_implementations, reason = "it is a closure")]
pub struct Contender {
    name: &'static str,
    /// Makes so many calls and says how many of them reached the partner.
    run: Box<dyn Fn(Path, u32) -> u32 + Sync>,
    /// Whether they should.
    arrive: fn(Path) -> bool,
    /// Ours, to be looked at when all is done.
    breaker: Option<&'static Breaker>,
}

impl Contender {
    /// A breaker, which [`contender!`] makes calls through.
    pub fn new(name: &'static str, run: impl Fn(Path, u32) -> u32 + Sync + 'static) -> Self {
        Self {
            name,
            run: Box::new(run),
            arrive: |path| path != Path::Rejected,
            breaker: None,
        }
    }
}

/// Makes calls through `$call`, which is given a closure, and counts those that arrive.
#[macro_export]
macro_rules! contender {
    ($name:expr, |$partner:ident| $call:expr) => {
        $crate::Contender::new($name, move |path, calls| {
            // How many fail is a constant in each loop, so that no contender pays for the choice.
            match path {
                $crate::Path::Healthy | $crate::Path::Rejected => {
                    $crate::contender!(@calls 0, calls, $partner, $call)
                }
                $crate::Path::OneInAThousandFails => {
                    $crate::contender!(@calls 1_000, calls, $partner, $call)
                }
                $crate::Path::OneInAHundredFails => {
                    $crate::contender!(@calls 100, calls, $partner, $call)
                }
                $crate::Path::OneInTenFails => {
                    $crate::contender!(@calls 10, calls, $partner, $call)
                }
            }
        })
    };
    (@calls $in:literal, $calls:ident, $partner:ident, $call:expr) => {{
        let mut arrived = 0;
        for call in 0..$calls {
            let $partner = || {
                arrived += 1;
                $crate::partner::<$in>(std::hint::black_box(call))
            };
            let _ = std::hint::black_box($call);
        }
        arrived
    }};
}

/// The call without a breaker.
#[must_use]
pub fn bare() -> Contender {
    Contender {
        arrive: |_| true,
        ..contender!("bare call", |partner| {
            let mut partner = partner;
            partner()
        })
    }
}

/// No call, but a reading of the clock.
#[must_use]
pub fn raw_clock() -> Contender {
    let clock = quanta::Clock::new();
    Contender {
        arrive: |_| false,
        ..contender!("one raw clock read", |_partner| clock.raw())
    }
}

/// A breaker of ours.
#[must_use]
pub fn ours(name: &'static str, builder: Builder, path: Path) -> Contender {
    // A `static`, as most users have it, made at run time.
    let breaker: &'static Breaker = Box::leak(Box::new(builder.open_for(OPEN_FOR).build()));
    if path == Path::Rejected {
        breaker.force_open_for(OPEN_FOR);
    }
    Contender {
        breaker: Some(breaker),
        ..contender!(name, |partner| breaker.call(partner))
    }
}

/// Recloser, which counts the last `calls` calls.
#[must_use]
pub fn recloser(name: &'static str, calls: usize, path: Path) -> Contender {
    let breaker = recloser::Recloser::custom()
        .error_rate(0.5)
        .closed_len(calls)
        .half_open_len(1)
        .open_wait(OPEN_FOR)
        .build();
    if path == Path::Rejected {
        while !matches!(
            breaker.call(|| Err::<(), _>(())),
            Err(recloser::Error::Rejected)
        ) {}
    }
    contender!(name, |partner| breaker.call(partner))
}

/// Nanoseconds a call in one round, by the wall clock: from the start of the first thread to the end of
/// the last, so that threads which do not overlap can't look as if they did not meet.
fn round(contender: &Contender, path: Path, threads: usize) -> f64 {
    let barrier = Barrier::new(threads);
    let run = || {
        barrier.wait();
        let start = Instant::now();
        let arrived = (contender.run)(path, CALLS);
        let end = Instant::now();
        let expected = if (contender.arrive)(path) { CALLS } else { 0 };
        assert_eq!(arrived, expected, "{} does not do its path", contender.name);
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

/// Measures these contenders, of which the first is the bare call, on one thread and on two. The last
/// column says how many times less than `rival` each adds.
///
/// # Panics
///
/// If a call reaches the partner that should not, or the other way round, or if a breaker of ours does not
/// end as it began.
pub fn measure(title: &str, path: Path, rival: &str, contenders: impl Fn(Path) -> Vec<Contender>) {
    for threads in [1, 2] {
        let contenders = contenders(path);
        // The first round is not counted: windows fill and memory is allocated.
        let mut rounds = vec![Vec::new(); contenders.len()];
        for counted in 0..=ROUNDS {
            for (rounds, contender) in rounds.iter_mut().zip(&contenders) {
                let time = round(contender, path, threads);
                if counted > 0 {
                    rounds.push(time);
                }
            }
        }
        for Contender { name, breaker, .. } in &contenders {
            let closed = breaker.is_none_or(|breaker| breaker.state() == State::Closed);
            assert!(closed || path == Path::Rejected, "{name} has tripped");
        }
        // Alone, the best round is the one that nobody disturbed. Two threads disturb each other, which
        // is what is to be seen: their median.
        let (kind, place) = if threads == 1 {
            ("best", 0)
        } else {
            ("median", ROUNDS / 2)
        };
        let times = rounds.iter_mut().map(|rounds| {
            rounds.sort_by(f64::total_cmp);
            rounds[place]
        });
        let times: Vec<_> = times.collect();
        let added = |time: f64| time - times[0];
        let measured = || {
            contenders
                .iter()
                .map(|contender| contender.name)
                .zip(&times)
        };
        let of_rival = measured().find(|(name, _)| *name == rival);
        let (_, of_rival) = of_rival.expect("the rival is among the contenders");
        let of_rival = added(*of_rival);

        println!("\n{title}, {threads} thread(s): ns a call, {kind} of {ROUNDS} rounds of {CALLS}");
        println!(
            "{:28} {:>8} {:>8}  less than {rival}",
            "", "in all", "added"
        );
        for (name, time) in measured() {
            let added = added(*time);
            print!("{name:28} {time:8.1} {added:8.1}");
            // The bare call adds nothing to itself.
            if time > &times[0] {
                print!(" {:9.1} x", of_rival / added);
            }
            println!();
        }
    }
}

/// Whether the arguments of the program ask for this title: they are parts of those wanted, none means all.
#[must_use]
pub fn is_wanted(title: &str) -> bool {
    let mut only = env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .peekable();
    only.peek().is_none() || only.any(|part| title.contains(&part))
}

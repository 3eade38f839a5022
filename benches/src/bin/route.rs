//! Length of the route of one call: the functions and files of `src` that it passes through in a
//! debug build, counted by callgrind.
//!
//! ```sh
//! cargo run -p benches --bin route                 # a table, one row for each kind of call
//! cargo run -p benches --bin route -- --functions  # and the functions of each row, by file
//! ```
//!
//! A debug build inlines only functions marked `#[inline(always)]`. Of an inlined function, the
//! file is counted and the function is not. The standard library, other crates and this file are
//! left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error,
    fs,
    hint::black_box,
    path::Path,
    process::Command,
    time::Duration,
};

use benches::results;
use cutout::{Breaker, Builder, Listener, Outcome, Transition, Trip, clock::Manual};

const CHILD: &str = "--count";
const FUNCTIONS: &str = "--functions";
/// The symbol of [`counted()`]. (Callgrind takes no wildcards where it is to dump.)
const COUNTED: &str = "route::counted";

static CLOCK: Manual = Manual::new();
static LISTENER: fn(&Transition) = listen;
static LISTENERS: [&dyn Listener; 1] = [&LISTENER];

fn listen(transition: &Transition) {
    black_box(transition);
}

/// Makes one call. Without a result its last call would be a jump, whose end callgrind misses.
#[inline(never)]
fn counted(breaker: &Breaker, works: bool) -> u32 {
    let result = breaker.call(|| if works { Ok(7) } else { Err(()) });
    black_box(result).unwrap_or(0)
}

/// A breaker that trips at its first failure.
fn touchy(trip: Trip) -> Builder {
    Breaker::builder()
        .trip(trip)
        .open_for(Duration::from_secs(1))
        .clock(&CLOCK)
        .listeners(&LISTENERS)
}

/// The kinds of call: each with a breaker whose next call is of that kind, and its success.
fn kinds() -> [(&'static str, Breaker, bool); 7] {
    let run = Trip::consecutive(1);
    let ring = Trip::failures(1).of_last(100);
    let buckets = Trip::percent(50)
        .min_calls(1)
        .within(Duration::from_secs(10));
    let [recovering, rejecting] = [(); 2].map(|()| touchy(run).build());
    let [healthy, counting] = [(); 2].map(|()| touchy(Trip::failures(2).of_last(4)).build());
    recovering.try_acquire().unwrap().record(Outcome::Failure);
    CLOCK.advance(Duration::from_secs(1));
    rejecting.try_acquire().unwrap().record(Outcome::Failure);
    for breaker in [&healthy, &counting] {
        for _ in 0..4 {
            breaker.try_acquire().unwrap().record(Outcome::Success);
        }
    }
    [
        ("healthy", healthy, true),
        ("rejected", rejecting, true),
        ("failure that is counted", counting, false),
        ("failure that trips in the word", touchy(run).build(), false),
        ("failure that trips a ring", touchy(ring).build(), false),
        (
            "failure that trips time buckets",
            touchy(buckets).build(),
            false,
        ),
        ("probe that recovers", recovering, true),
    ]
}

/// Prints the name of each kind before the call of that kind is made.
fn count() {
    for (kind, breaker, works) in kinds() {
        println!("{kind}");
        counted(&breaker, works);
    }
}

/// The data that callgrind collected of one call.
#[derive(Default)]
struct Route {
    /// Files of `src`, each with the functions of that file that ran.
    files: BTreeMap<String, BTreeSet<String>>,
    /// Calls of these functions, and how many of them came from another file of `src`.
    calls: u64,
    crossings: u64,
}

impl Route {
    /// Reads one part of callgrind's output, in which no name is abbreviated.
    fn read(part: &str, src: &Path) -> Option<Self> {
        let own = |file| Path::new(file).strip_prefix(src).ok()?.to_str();
        let mut route = Self::default();
        // The file of the lines that follow, and the function that the next line calls.
        let (mut file, mut called_file, mut called) = (None::<&str>, None::<&str>, "");
        for line in part.lines() {
            let Some((key, value)) = line.split_once('=') else {
                // The cost of a source line. Line 0 is code of the compiler's own, in no file.
                if let Some(file) = file.filter(|_| !line.starts_with("0 ")) {
                    route.functions(file);
                }
                continue;
            };
            match key {
                // Lines that are inlined into a function follow `fi` or `fe`.
                "fl" | "fi" | "fe" => {
                    file = own(value);
                    called_file = file;
                }
                "cfi" | "cfl" => called_file = own(value),
                "cfn" => called = value,
                "calls" => {
                    let times: u64 = value.split(' ').next()?.parse().ok()?;
                    if let Some(callee) = called_file {
                        // Callgrind numbers the recursions of a function.
                        let name = called.split('\'').next()?;
                        route.functions(callee).insert(name.into());
                        route.calls += times;
                        if file.is_some_and(|file| file != callee) {
                            route.crossings += times;
                        }
                    }
                    called_file = file;
                }
                _ => {}
            }
        }
        Some(route)
    }

    fn functions(&mut self, file: &str) -> &mut BTreeSet<String> {
        self.files.entry(file.into()).or_default()
    }
}

/// Runs this program again under callgrind, and reads the route of each kind of call.
fn routes() -> Result<Vec<(String, Route)>, Box<dyn Error>> {
    let folder = results::target().join("route");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let out = folder.join("out");
    let child = Command::new("valgrind")
        .args([
            "--quiet",
            "--tool=callgrind",
            "--compress-strings=no",
            "--compress-pos=no",
        ])
        // Every second part is one call. (`--toggle-collect` would still count the calls outside.)
        .arg(format!("--dump-before={COUNTED}"))
        .arg(format!("--dump-after={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env::current_exe()?)
        .arg(CHILD)
        .output()?;
    if !child.status.success() {
        return Err(String::from_utf8_lossy(&child.stderr).into());
    }
    let src = results::benches().with_file_name("src");
    let kinds = String::from_utf8(child.stdout)?;
    let route = |(number, kind): (usize, &str)| {
        let part = fs::read_to_string(out.with_extension((2 * number + 2).to_string()))?;
        let route = Route::read(&part, &src).ok_or("not what callgrind is known to write")?;
        Ok((kind.to_owned(), route))
    };
    kinds.lines().enumerate().map(route).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    if env::args().any(|arg| arg == CHILD) {
        count();
        return Ok(());
    }
    println!("| call | functions | files | calls | calls from one file into another |");
    println!("|---|---:|---:|---:|---:|");
    for (kind, route) in routes()? {
        let functions: usize = route.files.values().map(BTreeSet::len).sum();
        let (files, calls, crossings) = (route.files.len(), route.calls, route.crossings);
        println!("| {kind} | {functions} | {files} | {calls} | {crossings} |");
        if env::args().any(|arg| arg == FUNCTIONS) {
            for (file, functions) in &route.files {
                println!("  {file}");
                for name in functions {
                    println!("    {name}");
                }
            }
        }
    }
    Ok(())
}

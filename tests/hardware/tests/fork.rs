//! A forked child has a breaker that trips, notifies its listeners and obeys its operator.
//!
//! Without a test harness: a process that forks should have one thread, except where threads are
//! under test.

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() {
    unix::a_child_forked_while_the_clock_is_calibrated_reads_it();
    unix::a_child_of_a_process_with_one_thread_has_a_whole_breaker();
    unix::a_child_forked_amid_transitions_notifies_its_listeners();
}

#[cfg(unix)]
mod unix {
    #![expect(unsafe_code, reason = "to fork, to wait for a child and to end one")]

    use std::{
        sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
        thread,
        time::Duration,
    };

    use cutout::{
        Breaker, Listener, State, Transition, Trip,
        clock::{Clock, Monotonic},
    };

    /// Enough to fork while a thread is in a transition. When a child used its parent's queue, 17
    /// of 60 children hung and 31 were silent.
    const CHILDREN: u32 = 60;
    /// Enough to fork during a calibration. When readings waited for it to end, 8 of 10 children
    /// hung.
    const CALIBRATIONS: u32 = 10;
    /// Polls after which a child that is not done counts as hung and is killed.
    const MAX_POLLS: u32 = 10_000;

    /// The polls of this process. A child has half of its parent's, so that it kills its own child
    /// before its parent kills it.
    static POLLS: AtomicU32 = AtomicU32::new(MAX_POLLS);

    static LAST_GENERATION: AtomicU32 = AtomicU32::new(0);
    static LOG: Log = Log;
    static BREAKER: Breaker = Breaker::builder()
        .trip(Trip::consecutive(2))
        .listeners(&[&LOG])
        .build();

    struct Log;

    impl Listener for Log {
        fn on_transition(&self, transition: &Transition) {
            LAST_GENERATION.store(transition.generation.into(), Relaxed);
        }
    }

    /// Whether the listener received the last transition.
    fn is_notified() -> bool {
        LAST_GENERATION.load(Relaxed) == u32::from(BREAKER.snapshot().generation)
    }

    /// The number of the first check that fails on the breaker.
    fn fault() -> i32 {
        let checks: [fn() -> bool; 8] = [
            || {
                BREAKER.reset();
                BREAKER.state() == State::Closed && is_notified()
            },
            || BREAKER.call(|| Err::<(), _>(())).is_err() && BREAKER.state() == State::Closed,
            || BREAKER.call(|| Err::<(), _>(())).is_err() && BREAKER.state() == State::Open,
            is_notified,
            || BREAKER.try_acquire().is_err(),
            || BREAKER.force_open() == State::Open && is_notified(),
            || BREAKER.resume() == State::ForcedOpen && is_notified(),
            || {
                BREAKER.reset();
                BREAKER.call(|| Ok::<_, ()>(())).is_ok() && is_notified()
            },
        ];
        let failed = checks.iter().position(|holds| !holds());
        failed.map_or(0, |n| i32::try_from(n + 1).unwrap_or(i32::MAX))
    }

    /// Runs `run` in a forked child and returns its result; `None` if the child hangs.
    fn in_a_child(run: impl FnOnce() -> i32) -> Option<i32> {
        // SAFETY: the child calls `run` and exits. `run` allocates, which libc allows in a child.
        let child = unsafe { libc::fork() };
        if child == 0 {
            POLLS.store(POLLS.load(Relaxed) / 2, Relaxed);
            let code = run();
            // SAFETY: ends the process without running destructors or its parent's handlers.
            unsafe { libc::_exit(code) };
        }
        assert!(child > 0, "fork failed");
        let mut status = 0;
        for _ in 0..POLLS.load(Relaxed) {
            // SAFETY: `status` outlives the call.
            if unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == child {
                assert!(libc::WIFEXITED(status), "a child was ended by a signal");
                return Some(libc::WEXITSTATUS(status));
            }
            thread::sleep(Duration::from_millis(1));
        }
        // SAFETY: `child` is a child of this process that has not been waited for.
        unsafe {
            libc::kill(child, libc::SIGKILL);
            libc::waitpid(child, &raw mut status, 0);
        }
        None
    }

    /// Forks again in the child: the breakers of both the child and its own child must work.
    fn fault_there_or_in_a_child() -> i32 {
        match fault() {
            0 => in_a_child(fault).map_or(101, |code| if code == 0 { 0 } else { code + 50 }),
            code => code,
        }
    }

    /// Each child is a process that has not read the clock, as this is the first test. The first
    /// reading starts the calibration, in which the child forks again.
    pub(super) fn a_child_forked_while_the_clock_is_calibrated_reads_it() {
        for child in 0..CALIBRATIONS {
            let calibrating = || {
                Monotonic.now();
                thread::sleep(Duration::from_micros(50) * child);
                in_a_child(|| {
                    let before = Monotonic.now();
                    if Monotonic.now() < before {
                        100
                    } else {
                        fault()
                    }
                })
                .unwrap_or(101)
            };
            assert_eq!(in_a_child(calibrating), Some(0));
        }
    }

    pub(super) fn a_child_of_a_process_with_one_thread_has_a_whole_breaker() {
        assert_eq!(in_a_child(fault), Some(0), "before the first transition");
        assert_eq!(fault(), 0);
        assert_eq!(in_a_child(fault_there_or_in_a_child), Some(0), "after it");
        assert_eq!(fault(), 0, "the parent is not affected");
    }

    pub(super) fn a_child_forked_amid_transitions_notifies_its_listeners() {
        static STOP: AtomicBool = AtomicBool::new(false);

        let faults: Vec<_> = thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !STOP.load(Relaxed) {
                        BREAKER.reset();
                    }
                });
            }
            let mut faults = Vec::new();
            for _ in 0..CHILDREN {
                match in_a_child(fault) {
                    Some(0) => {}
                    other => faults.push(other),
                }
                // A child that hangs takes long, and one is enough to fail.
                if faults.contains(&None) {
                    break;
                }
            }
            STOP.store(true, Relaxed);
            faults
        });
        assert_eq!(faults, [], "of {CHILDREN} children; `None` hangs");
    }
}

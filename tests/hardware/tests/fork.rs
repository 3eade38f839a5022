//! A forked child has a breaker that trips, notifies its listeners and obeys its operator.
//!
//! Without a harness: a process that forks is to have one thread, until threads are what is tested.

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() {
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

    use cutout::{Breaker, Listener, State, Transition, Trip};

    /// Enough to meet a thread amid a transition: when a child used the queue of its parent, 17 of 60
    /// hung and 31 were silent.
    const CHILDREN: u32 = 60;
    /// A child that is not done after this many looks hangs, and is killed.
    const LOOKS: u32 = 10_000;

    static HEARD: AtomicU32 = AtomicU32::new(0);
    static LOG: Log = Log;
    static BREAKER: Breaker = Breaker::builder()
        .trip(Trip::consecutive(2))
        .listeners(&[&LOG])
        .build();

    struct Log;

    impl Listener for Log {
        fn on_transition(&self, transition: &Transition) {
            HEARD.store(transition.generation.into(), Relaxed);
        }
    }

    /// The last transition has been heard of.
    fn is_heard() -> bool {
        HEARD.load(Relaxed) == u32::from(BREAKER.snapshot().generation)
    }

    /// What is wrong with the breaker, as the number of the check that fails.
    fn fault() -> i32 {
        let checks: [fn() -> bool; 8] = [
            || {
                BREAKER.reset();
                BREAKER.state() == State::Closed && is_heard()
            },
            || BREAKER.call(|| Err::<(), _>(())).is_err() && BREAKER.state() == State::Closed,
            || BREAKER.call(|| Err::<(), _>(())).is_err() && BREAKER.state() == State::Open,
            is_heard,
            || BREAKER.try_acquire().is_err(),
            || BREAKER.force_open() == State::Open && is_heard(),
            || BREAKER.resume() == State::ForcedOpen && is_heard(),
            || {
                BREAKER.reset();
                BREAKER.call(|| Ok::<_, ()>(())).is_ok() && is_heard()
            },
        ];
        let failed = checks.iter().position(|holds| !holds());
        failed.map_or(0, |n| i32::try_from(n + 1).unwrap_or(i32::MAX))
    }

    /// Runs this in a forked child, and says what it returned; `None` if the child hangs.
    fn in_a_child(run: impl FnOnce() -> i32) -> Option<i32> {
        // SAFETY: the child calls `run` and ends. `run` allocates, which libc lets a child do.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let code = run();
            // SAFETY: it ends the process, with no destructor and no handler of its parent.
            unsafe { libc::_exit(code) };
        }
        assert!(child > 0, "no child was made");
        let mut status = 0;
        for _ in 0..LOOKS {
            // SAFETY: `status` outlives the call.
            if unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == child {
                assert!(libc::WIFEXITED(status), "a child was ended by a signal");
                return Some(libc::WEXITSTATUS(status));
            }
            thread::sleep(Duration::from_millis(1));
        }
        // SAFETY: a child of this process, which has not been waited for.
        unsafe {
            libc::kill(child, libc::SIGKILL);
            libc::waitpid(child, &raw mut status, 0);
        }
        None
    }

    /// Forks again in the child: its breaker is whole, and so is that of its own child.
    fn fault_there_or_in_a_child() -> i32 {
        match fault() {
            0 => in_a_child(fault).map_or(101, |code| if code == 0 { 0 } else { code + 50 }),
            code => code,
        }
    }

    pub(super) fn a_child_of_a_process_with_one_thread_has_a_whole_breaker() {
        assert_eq!(in_a_child(fault), Some(0), "before the first transition");
        assert_eq!(fault(), 0);
        assert_eq!(in_a_child(fault_there_or_in_a_child), Some(0), "after it");
        assert_eq!(fault(), 0, "and the parent knows nothing of it");
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
                // A child that hangs takes its time, and one is enough to know.
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

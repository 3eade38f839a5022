//! A value that a forked child makes for itself.
//!
//! A child has a copy of its parent's memory, and one thread. In the child a lock that another
//! thread of the parent held is never released, and a role that such a thread had never ends.

use std::sync::OnceLock;

/// A value of this process, behind those of the processes that it was forked from.
pub(super) struct PerProcess<T>(OnceLock<Box<Owned<T>>>);

struct Owned<T> {
    process: u32,
    value: T,
    /// The values of children of this process.
    child: PerProcess<T>,
}

impl<T> PerProcess<T> {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Whether there is a value already, of this process or of one before.
    pub(super) fn is_made(&self) -> bool {
        self.0.get().is_some()
    }

    /// The value of this process, which is made from that of its parent if there is none.
    pub(super) fn get_or_make(&self, make: impl Fn(Option<&T>) -> T) -> &T {
        let process = process();
        let (mut node, mut parent) = (self, None);
        loop {
            let owned = node.0.get().unwrap_or_else(|| {
                // Allocated ahead of the lock, to hold it for less time: a child that is forked
                // while another thread holds the lock waits for ever.
                let fresh = Box::new(Owned {
                    process,
                    value: make(parent),
                    child: Self::new(),
                });
                node.0.get_or_init(|| fresh)
            });
            if owned.process == process {
                return &owned.value;
            }
            (node, parent) = (&owned.child, Some(&owned.value));
        }
    }
}

#[cfg(unix)]
fn process() -> u32 {
    std::process::id()
}

/// No process is forked.
#[cfg(not(unix))]
fn process() -> u32 {
    0
}

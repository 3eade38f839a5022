//! What the command line asks for. Criterion reads it too: this is for what criterion does not run.

use std::env;

/// Whether anything is to be measured: else it is to be seen that it would work (`--test`), or listed.
#[must_use]
pub fn to_measure() -> bool {
    !env::args().any(|arg| arg == "--test" || arg == "--list")
}

/// Whether this bench is asked for: the arguments are parts of the names of those wanted, none means all.
#[must_use]
pub fn for_bench(name: &str) -> bool {
    let mut wanted = env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .peekable();
    wanted.peek().is_none() || wanted.any(|part| name.contains(&part))
}

/// What follows this option.
#[must_use]
pub fn value_of(option: &str) -> Option<String> {
    env::args().skip_while(|arg| arg != option).nth(1)
}

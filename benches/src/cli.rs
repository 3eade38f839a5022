//! Command line arguments for benches that criterion does not run. Criterion reads the same ones.

use std::env;

/// Returns false if benches should only be tested (`--test`) or listed, without measuring.
#[must_use]
pub fn to_measure() -> bool {
    !env::args().any(|arg| arg == "--test" || arg == "--list")
}

/// Returns true if an argument is a part of this bench's name, or if there are no arguments.
#[must_use]
pub fn for_bench(name: &str) -> bool {
    let mut wanted = env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .peekable();
    wanted.peek().is_none() || wanted.any(|part| name.contains(&part))
}

/// Returns the argument after this option.
#[must_use]
pub fn value_of(option: &str) -> Option<String> {
    env::args().skip_while(|arg| arg != option).nth(1)
}

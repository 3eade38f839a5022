//! Bodies of the fuzz targets. Each decodes bytes into a test case and panics on a defect.
//!
//! ```text
//! fuzz_targets/*   libFuzzer entry points         tests/replay.rs   plain tests of seeds/, corpus/
//!        \______________ against_oracle  policy  word ______________/
//! ```

#![forbid(unsafe_code)]

pub mod against_oracle;
pub mod policy;
pub mod word;

use std::{collections::BTreeSet, env, fs, io};

/// Names of the events that an input reached.
pub type Reached = BTreeSet<String>;

/// A fuzz target.
#[derive(Debug)]
pub struct Target {
    /// The name, also of the folders in `corpus` and `seeds`.
    pub name: &'static str,
    /// Plays an input, and panics on a defect.
    pub play: fn(&[u8]) -> Reached,
    /// Describes an input.
    pub describe: fn(&[u8]) -> String,
}

/// All fuzz targets.
pub const TARGETS: [Target; 3] = [
    Target {
        name: "against_oracle",
        play: against_oracle::play,
        describe: against_oracle::describe,
    },
    Target {
        name: "policy",
        play: policy::play,
        describe: policy::describe,
    },
    Target {
        name: "word",
        play: word::play,
        describe: word::describe,
    },
];

/// Describes and plays the files given on the command line.
///
/// # Errors
///
/// Returns an error if a file can't be read.
pub fn show(target: &Target) -> io::Result<()> {
    for path in env::args_os().skip(1) {
        let bytes = fs::read(path)?;
        println!("{}", (target.describe)(&bytes));
        println!("reached {:?}", (target.play)(&bytes));
    }
    Ok(())
}

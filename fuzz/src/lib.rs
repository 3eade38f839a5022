//! The bodies of the fuzz targets: each turns any bytes into something to try, and panics if that shows a
//! defect.
//!
//! ```text
//! fuzz_targets/*    libFuzzer's way in            tests/replay.rs    a plain test over seeds/ and corpus/
//!        \______________ against_oracle  policy  word ______________/
//! ```

#![forbid(unsafe_code)]

pub mod against_oracle;
pub mod policy;
pub mod word;

use std::{collections::BTreeSet, env, fs, io};

/// What came up while an input was played, by name.
pub type Reached = BTreeSet<String>;

/// A fuzz target.
#[derive(Debug)]
pub struct Target {
    /// Also the name of its folders in `corpus` and `seeds`.
    pub name: &'static str,
    /// Tries an input, and panics if that shows a defect.
    pub play: fn(&[u8]) -> Reached,
    /// Tells an input in words.
    pub describe: fn(&[u8]) -> String,
}

/// All of them.
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

/// Shows the files that the command line names, and plays them.
///
/// # Errors
///
/// If a file can't be read.
pub fn show(target: &Target) -> io::Result<()> {
    for path in env::args_os().skip(1) {
        let bytes = fs::read(path)?;
        println!("{}", (target.describe)(&bytes));
        println!("reached {:?}", (target.play)(&bytes));
    }
    Ok(())
}

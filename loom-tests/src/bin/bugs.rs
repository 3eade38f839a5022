//! Searches for every planted bug, and prints a line for each. A line has the broken invariants and
//! the bug, where it was seen, the model that finds it, and that model's message. Fails if a bug is
//! not found.

use std::process::ExitCode;

fn main() -> ExitCode {
    loom_tests::silence();
    let mut lost = 0;
    let mut all = 0;
    for bug in loom_tests::bugs() {
        let hunted = bug.hunt();
        all += 1;
        let said = match hunted {
            Ok(said) => on_one_line(&said),
            Err(why) => {
                lost += 1;
                format!("NOT FOUND: {why}")
            }
        };
        let loom_tests::Bug {
            breaks,
            what,
            seen,
            model,
            ..
        } = bug;
        println!("{breaks}: {what} | {seen} | {model}: {said}");
    }
    println!("bugs: {} of {all} found", all - lost);
    if lost == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Puts a message on one line, without the prefix of all assertions and without the separator
/// between fields.
fn on_one_line(said: &str) -> String {
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    said.replace("assertion `left == right` failed: ", "")
        .replace(" | ", " / ")
}

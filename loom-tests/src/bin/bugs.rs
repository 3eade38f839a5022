//! Searches for every planted bug, and prints a line for each. A line has the broken invariants and
//! the bug, where it was seen, the model that finds it, and that model's message. Fails if a bug is
//! not found.

use std::process::ExitCode;

fn main() -> ExitCode {
    loom_tests::silence();
    let mut lost = 0;
    let mut all = 0;
    for bug in loom_tests::bugs() {
        let result = bug.run();
        all += 1;
        let message = match result {
            Ok(message) => on_one_line(&message),
            Err(why) => {
                lost += 1;
                format!("NOT FOUND: {why}")
            }
        };
        let loom_tests::Bug {
            invariants,
            what,
            reported_in,
            model,
            ..
        } = bug;
        println!("{invariants}: {what} | {reported_in} | {model}: {message}");
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
fn on_one_line(message: &str) -> String {
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    message
        .replace("assertion `left == right` failed: ", "")
        .replace(" | ", " / ")
}

//! Compares the README's excerpt with the output of the tour, ignoring times.

use std::process::Command;

/// The text with the digits of every clock time and every wait made equal.
fn normalised(text: &str) -> String {
    let word = |word: &str| {
        let is_time = word.len() == 5 && word.as_bytes()[2] == b':';
        let is_wait = word.ends_with('s') && word.starts_with(|c: char| c.is_ascii_digit());
        match word {
            _ if is_time => "MM:SS".to_owned(),
            _ if is_wait => "WAIT".to_owned(),
            _ => word.to_owned(),
        }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn excerpt(readme: &str) -> &str {
    let (_, after) = readme
        .split_once("An excerpt:\n\n```text\n")
        .expect("the README quotes the tour");
    after.split_once("\n```").expect("the quote ends").0
}

#[test]
fn the_readme_quotes_what_the_tour_prints() {
    let tour = Command::new(env!("CARGO_BIN_EXE_offer"))
        .output()
        .expect("the tour runs");
    let printed = String::from_utf8(tour.stdout).expect("the tour prints text");
    assert!(tour.status.success(), "{printed}");
    let quoted = normalised(excerpt(include_str!("../../../README.md")));
    assert!(
        normalised(&printed).contains(&quoted),
        "not in the tour:\n{quoted}\n\nbut that printed:\n{printed}"
    );
}

//! The shipped word, which is private, and the ticks that it is made of: their files, included as they are.

#[path = "../../../src/machine/tick.rs"]
#[allow(
    clippy::pedantic,
    dead_code,
    unreachable_pub,
    reason = "linted where it ships; more of it than is used here"
)]
pub(super) mod tick;
#[path = "../../../src/machine/word.rs"]
#[allow(
    clippy::pedantic,
    dead_code,
    unreachable_pub,
    reason = "linted where it ships; more of it than is used here"
)]
pub(super) mod word;

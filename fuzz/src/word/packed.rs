//! Source files of the shipped word and ticks, which are private, included by path.

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

//! Two services and a breaker.
fn main() {}

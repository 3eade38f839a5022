//! A `const` breaker: a new breaker for each call, which never trips.

use cutout::{Breaker, Rejected};

const BILLING: Breaker = Breaker::new();

struct App {
    breaker: Breaker,
}

const APP: App = App {
    breaker: Breaker::new(),
};

impl App {
    const BILLING: Breaker = Breaker::new();

    #[cutout::breaker(breaker = Self::BILLING)]
    fn of_a_type() -> Result<u32, Rejected> {
        Ok(7)
    }
}

#[cutout::breaker(breaker = BILLING)]
fn of_a_module() -> Result<u32, Rejected> {
    Ok(7)
}

#[cutout::breaker(breaker = &BILLING)]
async fn borrowed() -> Result<u32, Rejected> {
    Ok(7)
}

#[cutout::breaker(breaker = APP.breaker)]
fn of_a_value() -> Result<u32, Rejected> {
    Ok(7)
}

fn main() {}

//! A `const` is a fresh breaker for each call, which never trips.

use cutout::{Breaker, Rejected};

const PARTNER: Breaker = Breaker::new();

struct App {
    breaker: Breaker,
}

const APP: App = App {
    breaker: Breaker::new(),
};

impl App {
    const PARTNER: Breaker = Breaker::new();

    #[cutout::breaker(breaker = Self::PARTNER)]
    fn of_a_type() -> Result<u32, Rejected> {
        Ok(7)
    }
}

#[cutout::breaker(breaker = PARTNER)]
fn of_a_module() -> Result<u32, Rejected> {
    Ok(7)
}

#[cutout::breaker(breaker = &PARTNER)]
async fn borrowed() -> Result<u32, Rejected> {
    Ok(7)
}

#[cutout::breaker(breaker = APP.breaker)]
fn of_a_value() -> Result<u32, Rejected> {
    Ok(7)
}

fn main() {}

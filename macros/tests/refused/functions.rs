//! Functions that a breaker refuses, or that need a breaker declared elsewhere.

#[cutout::breaker]
struct NoFunction;

trait Billing {
    #[cutout::breaker]
    fn no_body() -> Result<(), cutout::Rejected>;
}

#[cutout::breaker]
fn returns_nothing() {}

#[cutout::breaker]
fn returns_an_option() -> Option<u32> {
    Some(7)
}

#[cutout::breaker]
fn returns_a_future() -> impl Future<Output = Result<u32, cutout::Rejected>> {
    async { Ok(7) }
}

#[cutout::breaker]
const fn constant() -> Result<u32, cutout::Rejected> {
    Ok(7)
}

#[cutout::breaker(consecutive = 3)]
fn generic<T: Default>() -> Result<T, cutout::Rejected> {
    Ok(T::default())
}

#[cutout::breaker(consecutive = 3)]
fn generic_by_argument(item: &impl ToString) -> Result<String, cutout::Rejected> {
    Ok(item.to_string())
}

struct Client;

impl Client {
    #[cutout::breaker(consecutive = 3)]
    fn method(&self) -> Result<u32, cutout::Rejected> {
        Ok(7)
    }

    #[cutout::breaker(consecutive = 3)]
    fn associated() -> Result<Self, cutout::Rejected> {
        Ok(Self)
    }
}

fn main() {}

//! Methods and generic functions, which specify their breaker.

mod support;

use std::{
    fmt::{self, Display},
    sync::{Arc, LazyLock},
};

use cutout::{Breaker, Error, State, Trip};
use tokio::task::yield_now;

use support::Broken;

struct QuoteClient {
    breaker: Breaker,
    shared: Arc<Breaker>,
    calls: u32,
    well: bool,
}

impl QuoteClient {
    fn new(well: bool) -> Self {
        let breaker = || Breaker::builder().trip(Trip::consecutive(1)).build();
        Self {
            breaker: breaker(),
            shared: Arc::new(breaker()),
            calls: 0,
            well,
        }
    }

    #[cutout::breaker(breaker = self.breaker)]
    fn get(&self) -> Result<u32, Broken> {
        if self.well {
            Ok(7)
        } else {
            Err(Broken::Service)
        }
    }

    #[cutout::breaker(breaker = self.breaker)]
    fn count(&mut self) -> Result<u32, Broken> {
        self.calls += 1;
        Ok(self.calls)
    }

    #[cutout::breaker(breaker = self.shared.clone())]
    fn count_by_method(&mut self) -> Result<u32, Broken> {
        self.bump();
        Ok(self.calls)
    }

    fn bump(&mut self) {
        self.calls += 1;
    }

    #[cutout::breaker(breaker = self.shared, fallback = Self::cold)]
    async fn get_later(&self) -> Result<u32, Broken> {
        yield_now().await;
        if self.well {
            Ok(7)
        } else {
            Err(Broken::Service)
        }
    }

    #[cutout::breaker(breaker = self.breaker)]
    async fn count_later(&mut self) -> Result<u32, Broken> {
        self.calls += 1;
        yield_now().await;
        Ok(self.calls)
    }

    #[cutout::breaker(breaker = BILLING)]
    fn taken(self) -> Result<u32, Broken> {
        Ok(self.calls)
    }

    #[cutout::breaker(breaker = BILLING)]
    fn made() -> Result<Self, Broken> {
        Ok(Self::new(true))
    }

    fn cold(error: Error<Broken>) -> Result<u32, Broken> {
        match error {
            Error::Rejected(_) => Ok(0),
            Error::Inner(error) => Err(error),
        }
    }
}

static BILLING: Breaker = Breaker::builder().trip(Trip::consecutive(1)).build();

#[cutout::breaker(breaker = breaker)]
fn shown<T: Display, const N: usize>(
    breaker: &Breaker,
    items: [T; N],
    sep: impl Display,
) -> Result<String, Broken> {
    let text = items.map(|item| format!("{item}{sep}")).concat();
    Ok(text)
}

#[cutout::breaker(breaker = breaker)]
async fn shown_later<T: Display>(breaker: &Breaker, item: T) -> Result<String, Broken> {
    yield_now().await;
    Ok(item.to_string())
}

#[test]
fn each_object_has_its_breaker() {
    let (well, broken) = (QuoteClient::new(true), QuoteClient::new(false));
    assert_eq!(broken.get(), Err(Broken::Service));
    assert!(matches!(broken.get(), Err(Broken::Rejected(_))));
    assert_eq!(well.get(), Ok(7));
    assert_eq!(
        (well.breaker.state(), broken.breaker.state()),
        (State::Closed, State::Open)
    );
}

#[test]
fn a_method_may_change_its_object() {
    let mut client = QuoteClient::new(true);
    assert_eq!(client.count(), Ok(1));
    assert_eq!(client.count_by_method(), Ok(2));
    client.breaker.force_open();
    assert!(client.count().is_err());
    assert_eq!(client.calls, 2);
    assert_eq!(client.taken(), Ok(2));
    assert!(QuoteClient::made().is_ok());
}

#[tokio::test]
async fn an_async_method_uses_the_breaker_of_its_object() {
    let mut client = QuoteClient::new(true);
    assert_eq!(client.count_later().await, Ok(1));
    assert_eq!(client.get_later().await, Ok(7));
    client.well = false;
    assert_eq!(client.get_later().await, Err(Broken::Service));
    assert_eq!(client.get_later().await, Ok(0));
    assert_eq!(client.shared.state(), State::Open);
}

#[tokio::test]
async fn a_generic_function_uses_the_breaker_that_it_is_given() {
    let breaker = Breaker::new();
    assert_eq!(shown(&breaker, [1, 2], ';').unwrap(), "1;2;");
    assert_eq!(
        shown_later(&breaker, fmt::Error).await.unwrap(),
        fmt::Error.to_string()
    );
    breaker.force_open();
    assert!(shown(&breaker, ["a"], "").is_err());
    assert!(shown_later(&breaker, "a").await.is_err());
}

static LAZY: LazyLock<Breaker> = LazyLock::new(Breaker::new);
static SHARED: LazyLock<Arc<Breaker>> = LazyLock::new(Default::default);
static APP: Application = Application {
    breaker: Breaker::new(),
};
static LATE: LazyLock<Application> = LazyLock::new(|| Application {
    breaker: Breaker::new(),
});
const BY_REFERENCE: &Breaker = &BILLING;

struct Application {
    breaker: Breaker,
}

impl Application {
    const BREAKER: &Breaker = &APP.breaker;

    fn breaker() -> &'static Breaker {
        &APP.breaker
    }

    #[cutout::breaker(breaker = Self::BREAKER)]
    fn by_constant() -> Result<u32, Broken> {
        Ok(7)
    }

    #[cutout::breaker(breaker = Self::breaker())]
    fn by_function() -> Result<u32, Broken> {
        Ok(7)
    }

    #[cutout::breaker(breaker = &self.breaker)]
    fn borrowed(&self) -> Result<u32, Broken> {
        Ok(7)
    }

    #[cutout::breaker(breaker = app.breaker)]
    fn of_an_argument(app: &Self) -> Result<u32, Broken> {
        Ok(7)
    }
}

struct Typed<T>(T);

impl<T: Clone> Typed<T> {
    const BREAKER: &Breaker = &BILLING;

    #[cutout::breaker(breaker = Self::BREAKER)]
    async fn get(&self) -> Result<T, Broken> {
        Ok(self.0.clone())
    }
}

#[cutout::breaker(breaker = LAZY)]
fn lazy() -> Result<u32, Broken> {
    Ok(7)
}

#[cutout::breaker(breaker = self::SHARED)]
async fn shared() -> Result<u32, Broken> {
    Ok(7)
}

#[cutout::breaker(breaker = BY_REFERENCE)]
fn by_reference() -> Result<u32, Broken> {
    Ok(7)
}

#[cutout::breaker(breaker = &APP.breaker)]
fn of_a_static() -> Result<u32, Broken> {
    Ok(7)
}

#[cutout::breaker(breaker = LATE.breaker)]
fn of_a_late_static() -> Result<u32, Broken> {
    Ok(7)
}

#[cutout::breaker(breaker = billing)]
fn of_a_pattern((billing, offer): (&Breaker, u32)) -> Result<u32, Broken> {
    Ok(offer)
}

#[cutout::breaker(breaker = breaker)]
async fn owned(breaker: Arc<Breaker>) -> Result<u32, Broken> {
    Ok(7)
}

#[tokio::test]
async fn a_breaker_is_named_wherever_it_is() {
    assert_eq!(lazy(), Ok(7));
    assert_eq!(shared().await, Ok(7));
    assert_eq!(by_reference(), Ok(7));
    assert_eq!(of_a_static(), Ok(7));
    assert_eq!(of_a_late_static(), Ok(7));
    assert_eq!(of_a_pattern((&LAZY, 7)), Ok(7));
    assert_eq!(owned(SHARED.clone()).await, Ok(7));
    assert_eq!(Application::by_constant(), Ok(7));
    assert_eq!(Typed(7).get().await, Ok(7));
    assert_eq!(Application::by_function(), Ok(7));
    assert_eq!(APP.borrowed(), Ok(7));
    assert_eq!(Application::of_an_argument(&APP), Ok(7));
    APP.breaker.force_open();
    assert!(of_a_static().is_err());
}

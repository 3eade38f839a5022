//! Rejections in a chain of errors that `?` has boxed.

use std::{error, fmt};

use cutout::{Breaker, Error, Rejected};

type Boxed = Box<dyn error::Error + Send + Sync>;

#[derive(Debug)]
struct Context(Boxed);

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no quote")
    }
}

impl error::Error for Context {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&*self.0)
    }
}

fn rejecting() -> Breaker {
    let breaker = Breaker::builder().name("quotes").build();
    breaker.force_open();
    breaker
}

fn texts(error: &(dyn error::Error + 'static)) -> Vec<String> {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_rejection_is_found_in_a_boxed_error() {
    fn call(breaker: &Breaker) -> Result<u32, Boxed> {
        Ok(breaker.call(|| "7".parse::<u32>())?)
    }
    fn anyhow(breaker: &Breaker) -> anyhow::Result<u32> {
        Ok(breaker.call(|| "7".parse::<u32>())?)
    }
    let breaker = rejecting();
    let expected = breaker.peek().unwrap_err();
    assert_eq!(
        Rejected::find(&*call(&breaker).unwrap_err()),
        Some(expected)
    );
    assert_eq!(
        Rejected::find(&*anyhow(&breaker).unwrap_err()),
        Some(expected)
    );
    let deep = Context(Box::new(Context(call(&breaker).unwrap_err())));
    assert_eq!(Rejected::find(&deep), Some(expected));
    let context = anyhow::Context::context(anyhow(&breaker), "no quote").unwrap_err();
    assert_eq!(Rejected::find(&*context), Some(expected));
}

#[test]
fn an_error_of_the_call_itself_is_no_rejection() {
    let breaker = Breaker::new();
    let error: Boxed = breaker.call(|| "many".parse::<u32>()).unwrap_err().into();
    assert_eq!(Rejected::find(&*error), None);
}

#[test]
fn an_error_chain_repeats_no_text() {
    let breaker = rejecting();
    let error: Error<fmt::Error> = breaker.call(|| Ok::<_, fmt::Error>(7)).unwrap_err();
    let texts = texts(&error);
    assert_eq!(texts[0], "circuit \"quotes\" is forced open");
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(!texts[1].contains("forced open"), "{texts:?}");
    let inner = Error::Inner(Context("deep".into()));
    assert_eq!(super::chain::texts(&inner), ["no quote", "deep"]);
}

#[cfg(feature = "tower-retry")]
#[tokio::test]
async fn a_retry_above_a_buffer_leaves_a_rejection_alone() {
    use cutout::tower::{BreakerLayer, UnlessRejected};
    use std::{
        future,
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
    };
    use tower::{ServiceBuilder, ServiceExt, retry::Policy, service_fn};

    #[derive(Clone, Default)]
    struct RetryCounter(Arc<AtomicU32>);

    impl<E> Policy<(), (), E> for RetryCounter {
        type Future = future::Ready<()>;

        fn retry(&mut self, (): &mut (), result: &mut Result<(), E>) -> Option<Self::Future> {
            let retries = self.0.fetch_add(1, Ordering::Relaxed);
            (result.is_err() && retries < 5).then(|| future::ready(()))
        }

        fn clone_request(&mut self, (): &()) -> Option<()> {
            Some(())
        }
    }

    let breaker = Arc::new(rejecting());
    let retries = RetryCounter::default();
    let service = ServiceBuilder::new()
        .retry(UnlessRejected(retries.clone()))
        .buffer(8)
        .layer(BreakerLayer::new(breaker))
        .service(service_fn(async |()| Ok::<_, std::io::Error>(())));
    assert!(service.oneshot(()).await.is_err());
    assert_eq!(retries.0.load(Ordering::Relaxed), 0);
}

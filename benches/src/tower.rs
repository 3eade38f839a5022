//! Contenders in a tower stack: a service that answers immediately, and a layer around it.

use std::{hint::black_box, ops::Deref, sync::Arc};

use cutout::{
    Breaker, Trip,
    tower::{BreakerLayer, IntoSelectBreaker, SelectBreaker},
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use crate::{
    contender::{Contender, block_on},
    dependency::{Failed, Path, dependency},
    subjects::{LONG, NoBreaker, Subject, in_seatbelt, tower_resilience},
};

/// Name of tower-resilience in the results.
pub const TOWER_RESILIENCE: &str = "tower-resilience, 5 in a row";
/// Name of seatbelt in the results.
const SEATBELT: &str = "seatbelt, 50 % in 10 s";
/// The request that fails.
const BAD: u64 = u64::MAX;
/// A number of failures that trips every layer.
const ENOUGH: usize = 100;

async fn respond(request: u64) -> Result<u64, Failed> {
    if request == BAD {
        Err(Failed)
    } else {
        dependency::<0, 1>(request)
    }
}

/// The service in a layer of tower-resilience.
///
/// # Panics
///
/// Panics if its policy is refused.
#[must_use]
pub fn in_tower_resilience() -> impl Service<u64, Response = u64> + Clone + Send + Sync + 'static {
    let layer = tower_resilience().build().expect("its policy is sound");
    ServiceBuilder::new()
        .layer(layer)
        .service(service_fn(respond))
}

/// The bare service, and services with a layer.
#[must_use]
pub fn stacks(path: Path) -> Vec<Contender> {
    // Equivalent to a static, and new for each path.
    let leaked: &Breaker = Box::leak(Box::new(breaker()));
    vec![
        requests(NoBreaker::NAME, Path::Healthy, service_fn(respond)),
        requests("cutout, layer over a static", path, in_ours(leaked)),
        requests(
            "cutout, layer over an Arc",
            path,
            in_ours(Arc::new(breaker())),
        ),
        requests(TOWER_RESILIENCE, path, in_tower_resilience()),
        seatbelt(path),
    ]
}

/// Five failures in a row, the policy of tower-resilience.
fn breaker() -> Breaker {
    Breaker::builder()
        .trip(Trip::consecutive(5))
        .open_for(LONG)
        .build()
}

/// The service in the layer of cutout.
fn in_ours<B>(breaker: B) -> impl Service<u64, Response = u64> + Clone + Send + Sync + 'static
where
    B: IntoSelectBreaker<Select: SelectBreaker<u64> + Clone + Send + Sync + 'static>,
    B: Deref<Target = Breaker> + Clone,
{
    ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker))
        .service(service_fn(respond))
}

/// A contender that sends requests through a service. Each thread uses a clone, as is usual in
/// tower.
fn requests<S>(name: &str, path: Path, service: S) -> Contender
where
    S: Service<u64, Response = u64> + Clone + Send + Sync + 'static,
{
    let opens = path == Path::Rejected;
    if opens {
        block_on(send(service.clone(), [BAD; ENOUGH].into_iter()));
    }
    Contender::running(name, u64::from(!opens), move |requests| {
        block_on(send(service.clone(), 0..requests))
    })
}

/// A contender that executes requests in seatbelt, whose services are shared and need no `ready`.
fn seatbelt(path: Path) -> Contender {
    let opens = path == Path::Rejected;
    let service = block_on(async { in_seatbelt(respond) });
    if opens {
        block_on(execute(&service, [BAD; ENOUGH].into_iter()));
    }
    Contender::running(SEATBELT, u64::from(!opens), move |requests| {
        block_on(execute(&service, 0..requests))
    })
}

/// Executes requests and returns the number of answers.
async fn execute<S>(service: &S, requests: impl Iterator<Item = u64>) -> u64
where
    S: layered::Service<u64, Out = Result<u64, Failed>>,
{
    let mut answered = 0;
    for request in requests {
        let request = black_box(request);
        let response = black_box(service.execute(request).await);
        answered += u64::from(response.is_ok_and(|value| value == request));
    }
    answered
}

/// Sends requests and returns the number of answers.
async fn send<S>(mut service: S, requests: impl Iterator<Item = u64>) -> u64
where
    S: Service<u64, Response = u64>,
{
    let mut answered = 0;
    for request in requests {
        let request = black_box(request);
        let response = match service.ready().await {
            Ok(service) => black_box(service.call(request).await),
            Err(error) => Err(error),
        };
        answered += u64::from(response.is_ok_and(|value| value == request));
    }
    answered
}

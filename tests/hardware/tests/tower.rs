//! Allocations of the tower layer: none, however the call ends.

use std::{
    convert::Infallible,
    hint::black_box,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use allocation_counter::measure;
use cutout::{Breaker, tower::BreakerLayer};
use http_body_util::Empty;
use tower::{Layer, Service, util::service_fn};

/// Number of allocations that a call makes.
fn allocations<S: Service<u32>>(service: &mut S) -> u64 {
    let mut context = Context::from_waker(Waker::noop());
    let call = || {
        let ready = service.poll_ready(&mut context);
        assert!(matches!(ready, Poll::Ready(Ok(()))));
        let mut response = pin!(service.call(7));
        while response.as_mut().poll(&mut context).is_pending() {}
    };
    measure(call).count_total
}

async fn echo(number: u32) -> Result<u32, &'static str> {
    if number == 7 {
        Ok(number)
    } else {
        Err("broken")
    }
}

#[test]
fn a_tower_layer_over_a_static_allocates_nothing() {
    static BREAKER: Breaker = Breaker::new();
    let mut service = BreakerLayer::new(&BREAKER).layer(service_fn(echo));
    assert_eq!(allocations(&mut service), 0, "healthy");
    BREAKER.force_open();
    assert_eq!(allocations(&mut service), 0, "rejected");
}

#[test]
fn a_tower_layer_over_an_arc_allocates_nothing() {
    let breaker = Arc::new(Breaker::new());
    let mut service = BreakerLayer::new(breaker.clone()).layer(service_fn(echo));
    assert_eq!(allocations(&mut service), 0, "healthy");
    breaker.force_open();
    assert_eq!(allocations(&mut service), 0, "rejected");
}

#[test]
fn a_body_that_holds_its_permit_allocates_nothing() {
    static BREAKER: Breaker = Breaker::new();
    let mut service = BreakerLayer::new(&BREAKER)
        .hold_body()
        .layer(service_fn(async |_: u32| {
            Ok::<_, Infallible>(http::Response::new(Empty::<&[u8]>::new()))
        }));
    assert_eq!(allocations(&mut service), 0);
}

/// Shows that these tests can fail.
#[test]
fn an_allocation_of_the_inner_service_is_counted() {
    static BREAKER: Breaker = Breaker::new();
    let boxing = service_fn(async |number: u32| Ok::<_, Infallible>(black_box(Box::new(number))));
    let mut service = BreakerLayer::new(&BREAKER).layer(boxing);
    assert_eq!(allocations(&mut service), 1);
}

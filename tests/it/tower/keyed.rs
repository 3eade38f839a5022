//! One breaker for each key of the requests.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, Mutex},
    task::Poll,
};

use cutout::{Breaker, Error, tower::BreakerLayer};
use tower::{Layer, service_fn};

use super::{
    POLICY, breaker, call,
    dependency::{Ask, Broken, Dependency},
    poll_ready,
};

/// A minimal keyed store.
#[derive(Clone, Default)]
struct ByHost(Arc<Mutex<HashMap<&'static str, Arc<Breaker>>>>);

impl ByHost {
    fn of(&self, host: &'static str) -> Arc<Breaker> {
        let mut breakers = self.0.lock().unwrap();
        breakers
            .entry(host)
            .or_insert_with(|| breaker(POLICY).0)
            .clone()
    }
}

#[test]
fn each_key_has_a_breaker_of_its_own() {
    let breakers = ByHost::default();
    let find = breakers.clone();
    let layer = BreakerLayer::by_request(move |host: &&'static str| find.of(host));
    let dependency = service_fn(async |host: &'static str| match host {
        "down.example" => Err(Broken),
        _ => Ok(host),
    });
    let mut service = layer.layer(dependency);
    for _ in 0..2 {
        call(&mut service, "down.example").unwrap_err();
        call(&mut service, "up.example").unwrap();
    }
    let error = call(&mut service.clone(), "down.example").unwrap_err();
    assert!(error.is_rejected());
    assert_eq!(call(&mut service, "up.example"), Ok("up.example"));
    assert_eq!(breakers.0.lock().unwrap().len(), 2);
}

#[test]
fn any_pointer_to_a_breaker_is_accepted() {
    /// A handle that keeps its store alive.
    struct Handle(Arc<[Breaker; 2]>, usize);

    impl Deref for Handle {
        type Target = Breaker;

        fn deref(&self) -> &Breaker {
            &self.0[self.1]
        }
    }

    let shards = Arc::new([const { Breaker::new() }; 2]);
    let find = shards.clone();
    let layer = BreakerLayer::by_request(move |number: &usize| Handle(find.clone(), number % 2));
    let mut service = layer.layer(service_fn(async |number| Ok::<usize, ()>(number)));
    shards[1].force_open();
    assert_eq!(call(&mut service, 4), Ok(4));
    assert!(call(&mut service, 5).unwrap_err().is_rejected());
}

#[test]
fn where_the_request_chooses_the_inner_service_is_always_polled() {
    let (breaker, _) = breaker(POLICY);
    let find = breaker.clone();
    let dependency = Dependency::default();
    let mut service =
        BreakerLayer::by_request(move |_: &Ask| find.clone()).layer(dependency.clone());
    breaker.force_open();
    dependency.set_readiness(Poll::Pending);
    assert!(poll_ready(&mut service).is_pending());
    dependency.set_readiness(Poll::Ready(Ok(())));
    assert!(call(&mut service, Ask::Well).unwrap_err().is_rejected());
    assert_eq!((dependency.ready_polls(), dependency.calls()), (2, 0));
}

#[test]
fn where_the_request_chooses_an_error_of_readiness_is_not_recorded() {
    let (breaker, _) = breaker(POLICY);
    let find = breaker.clone();
    let dependency = Dependency::default();
    let mut service =
        BreakerLayer::by_request(move |_: &Ask| find.clone()).layer(dependency.clone());
    dependency.set_readiness(Poll::Ready(Err(Broken)));
    assert_eq!(
        poll_ready(&mut service),
        Poll::Ready(Err(Error::Inner(Broken)))
    );
    assert_eq!(breaker.snapshot().failures, Some(0));
}

#[cfg(feature = "keyed")]
#[test]
fn a_set_of_breakers_chooses_by_a_key_of_the_request() {
    use cutout::{State, keyed::Breakers};

    let each = Breaker::builder().policy(POLICY);
    let hosts = Arc::new(Breakers::<String>::builder().each(each).bound(2).build());
    let find = hosts.clone();
    let layer = BreakerLayer::by_request(move |host: &&'static str| find.get(*host));
    let mut service = layer.layer(service_fn(async |host: &'static str| match host {
        "down.example" => Err(Broken),
        _ => Ok(host),
    }));
    for _ in 0..2 {
        call(&mut service, "down.example").unwrap_err();
    }
    for stranger in ["a.example", "b.example", "c.example"] {
        assert_eq!(call(&mut service, stranger), Ok(stranger));
    }
    let error = call(&mut service, "down.example").unwrap_err();
    assert!(error.is_rejected(), "unknown keys took no slot");
    assert_eq!(hosts.len(), 2);
    assert_eq!(hosts.get("down.example").state(), State::Open);
}

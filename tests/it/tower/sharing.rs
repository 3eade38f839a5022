//! One breaker for every service and clone of a layer.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Response, StatusCode},
    routing::{get, post},
};
use cutout::{
    Breaker, State, classify,
    tower::{BreakerLayer, service_unavailable},
};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{
    POLICY, SECOND, breaker, call,
    dependency::{Ask, Dependency},
};

/// The handler of a service whose database is down.
struct Handler {
    calls: Arc<AtomicU32>,
}

impl Handler {
    fn new() -> Self {
        let calls = Arc::default();
        Self { calls }
    }

    fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }

    fn handle(&self) -> impl Fn() -> std::future::Ready<StatusCode> + Clone + Send + 'static {
        let calls = Arc::clone(&self.calls);
        move || {
            calls.fetch_add(1, Ordering::SeqCst);
            std::future::ready(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

async fn request(app: &Router, method: &str, path: &str) -> Response<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

#[test]
fn all_services_of_a_layer_and_its_clones_share_their_breaker() {
    let (breaker, _) = breaker(POLICY);
    let layer = BreakerLayer::new(breaker.clone());
    let mut one = layer.layer(Dependency::default());
    let mut other = layer.clone().layer(Dependency::default());
    let mut third = one.clone();
    call(&mut one, Ask::Fail).unwrap_err();
    call(&mut other, Ask::Fail).unwrap_err();
    assert_eq!(breaker.state(), State::Open);
    assert!(call(&mut third, Ask::Well).unwrap_err().is_rejected());
}

#[tokio::test]
async fn all_routes_of_an_axum_app_and_its_clones_share_their_breaker() {
    static BREAKER: Breaker = Breaker::builder().policy(POLICY).build();
    let handler = Handler::new();
    let app = Router::new()
        .route("/offer", get(handler.handle()).post(handler.handle()))
        .route("/quote", post(handler.handle()))
        .layer(
            BreakerLayer::new(&BREAKER)
                .classify(classify::http_response)
                .respond_with(service_unavailable),
        );
    assert_eq!(request(&app, "GET", "/offer").await.status(), 500);
    assert_eq!(request(&app, "POST", "/quote").await.status(), 500);
    assert_eq!(BREAKER.state(), State::Open);
    for (method, path) in [("GET", "/offer"), ("POST", "/offer"), ("POST", "/quote")] {
        let rejected = request(&app, method, path).await;
        assert_eq!(rejected.status(), 503, "{method} {path}");
        assert_eq!(rejected.headers()["retry-after"], "1");
    }
    assert_eq!(handler.calls(), 2);
}

/// A common mistake: one state per request, when the layer is applied again for each request.
#[tokio::test]
async fn a_layer_that_is_applied_per_request_does_not_start_over() {
    let (breaker, clock) = breaker(POLICY);
    let handler = Handler::new();
    let layer = BreakerLayer::new(breaker.clone())
        .classify(classify::http_response)
        .respond_with(service_unavailable);
    let routes = Router::new().route("/", get(handler.handle()));
    let per_request = service_fn(move |request: Request| {
        let service = layer.clone().layer(routes.clone());
        service.oneshot(request)
    });
    let app = Router::new().fallback_service(per_request);

    for _ in 0..2 {
        assert_eq!(request(&app, "GET", "/").await.status(), 500);
    }
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(request(&app, "GET", "/").await.status(), 503);
    assert_eq!(handler.calls(), 2);
    clock.advance(SECOND);
    assert_eq!(request(&app, "GET", "/").await.status(), 500);
    assert_eq!(breaker.snapshot().reopens, 1);
}

#[test]
fn a_service_names_its_type_shortly() {
    struct ServiceField {
        service: cutout::tower::BreakerService<Dependency, cutout::tower::Static>,
    }
    static BREAKER: Breaker = Breaker::new();
    static LAYER: BreakerLayer<&Breaker> = BreakerLayer::new(&BREAKER);
    let mut client = ServiceField {
        service: LAYER.layer(Dependency::default()),
    };
    call(&mut client.service, Ask::Well).unwrap();
    assert_eq!(client.service.get_ref().calls(), 1);
    assert_eq!(client.service.get_mut().ready_polls(), 1);
    assert_eq!(client.service.into_inner().calls(), 1);
}

#[test]
fn services_and_responses_are_send_and_sync() {
    fn anywhere<T: Send + 'static>(_: &T) {}
    let (breaker, _) = breaker(POLICY);
    let mut service = BreakerLayer::new(breaker)
        .hold_body()
        .layer(service_fn(async |()| {
            Ok::<_, ()>(Response::new(Body::empty()))
        }));
    anywhere(&service);
    assert!(super::poll_ready(&mut service).is_ready());
    let response = service.call(());
    anywhere(&response);
    anywhere(super::at_once(response).unwrap().body());
}

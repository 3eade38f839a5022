//! Services in spawned tasks and axum handlers: every type must be `Send`.

use std::{error, fmt, io, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    routing::get,
};
use cutout::{
    Breaker, Rejected, classify,
    tower::{BreakerLayer, Static, service_unavailable},
};
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};

static BREAKER: Breaker = Breaker::new();

fn shared() -> Arc<Breaker> {
    Arc::new(Breaker::new())
}

async fn next(number: u32) -> io::Result<u32> {
    Ok(number + 1)
}

async fn boxed(number: u32) -> Result<u32, BoxError> {
    Ok(number + 1)
}

async fn offer(number: u32) -> io::Result<Response<Body>> {
    Ok(Response::new(Body::from(number.to_string())))
}

async fn boxed_offer(number: u32) -> Result<Response<Body>, BoxError> {
    Ok(Response::new(Body::from(number.to_string())))
}

/// An error that may be a rejection, without a box.
#[derive(Debug)]
enum PlainError {
    Rejected,
}

impl From<Rejected> for PlainError {
    fn from(_: Rejected) -> Self {
        Self::Rejected
    }
}

async fn quote(number: u32) -> Result<u32, PlainError> {
    Ok(number + 1)
}

impl fmt::Display for PlainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no quote")
    }
}

impl error::Error for PlainError {}

/// Uses a client in a task and in a handler, without naming or boxing its type.
macro_rules! spawned {
    ($($test:ident: $layer:expr, $service:expr, |$response:ident| $text:expr, $expected:expr;)*) => {$(
        mod $test {
            use super::*;

            #[tokio::test]
            async fn plain() {
                let client = ServiceBuilder::new().layer($layer).service(service_fn($service));
                spawned!(@use client, $response, $text, $expected);
            }

            #[tokio::test]
            async fn under_a_buffer() {
                let client = ServiceBuilder::new()
                    .buffer(32)
                    .layer($layer)
                    .service(service_fn($service));
                spawned!(@use client, $response, $text, $expected);
            }
        }
    )*};
    (@use $client:ident, $response:ident, $text:expr, $expected:expr) => {
        let mut clone = $client.clone();
        let task = tokio::spawn(async move {
            let $response = clone.ready().await.unwrap().call(5).await.unwrap();
            let first = $text;
            let $response = clone.oneshot(6).await.unwrap();
            (first, $text)
        });
        let (_, second) = task.await.unwrap();
        assert_eq!(second, $expected);

        let app = Router::new().route(
            "/",
            get(async move || {
                let $response = $client.clone().oneshot(6).await.unwrap();
                $text
            }),
        );
        let task = tokio::spawn(async move {
            let request = http::Request::new(Body::empty());
            let response = app.oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            response.into_body().collect().await.unwrap().to_bytes()
        });
        assert_eq!(task.await.unwrap(), Bytes::from($expected));
    };
}

spawned! {
    wrapped_static: BreakerLayer::new(&BREAKER), next, |it| it.to_string(), "7";
    wrapped_arc: BreakerLayer::new(shared()), next, |it| it.to_string(), "7";
    flat_static: BreakerLayer::new(&BREAKER).flat(), boxed, |it| it.to_string(), "7";
    flat_arc: BreakerLayer::new(shared()).flat(), boxed, |it| it.to_string(), "7";
    flat_own_error_static: BreakerLayer::new(&BREAKER).flat(), quote, |it| it.to_string(), "7";
    flat_own_error_arc: BreakerLayer::new(shared()).flat(), quote, |it| it.to_string(), "7";
    respond_with_static: BreakerLayer::new(&BREAKER).respond_with(|_| 0), next, |it| it.to_string(), "7";
    respond_with_arc: BreakerLayer::new(shared()).respond_with(|_| 0), next, |it| it.to_string(), "7";
    held_static: BreakerLayer::new(&BREAKER).hold_body(), offer, |it| text(it).await, "6";
    held_arc: BreakerLayer::new(shared()).hold_body(), offer, |it| text(it).await, "6";
    held_flat_static: BreakerLayer::new(&BREAKER).hold_body().flat(), boxed_offer, |it| text(it).await, "6";
    held_flat_arc: BreakerLayer::new(shared()).hold_body().flat(), boxed_offer, |it| text(it).await, "6";
    held_respond_with_static:
        BreakerLayer::new(&BREAKER).hold_body().respond_with(service_unavailable),
        offer, |it| text(it).await, "6";
    held_respond_with_arc:
        BreakerLayer::new(shared()).hold_body().respond_with(service_unavailable),
        offer, |it| text(it).await, "6";
    classified_static:
        BreakerLayer::new(&BREAKER).classify(classify::http_response).hold_body(),
        offer, |it| text(it).await, "6";
    classified_arc:
        BreakerLayer::new(shared()).classify(classify::http_response).hold_body(),
        offer, |it| text(it).await, "6";
    by_request_static: BreakerLayer::by_request(|_: &u32| Static(&BREAKER)), next, |it| it.to_string(), "7";
    by_request_arc: BreakerLayer::by_request(|_: &u32| shared()), next, |it| it.to_string(), "7";
    by_request_flat_static:
        BreakerLayer::by_request(|_: &u32| Static(&BREAKER)).flat(), boxed, |it| it.to_string(), "7";
    by_request_flat_arc:
        BreakerLayer::by_request(|_: &u32| shared()).flat(), boxed, |it| it.to_string(), "7";
}

async fn text<B>(response: Response<B>) -> String
where
    B: http_body::Body<Data = Bytes, Error: fmt::Debug>,
{
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A router whose routes and fallback go through layers, served from a task.
#[tokio::test]
async fn routes_under_layers_are_served_from_a_task() {
    fn routes() -> Router {
        Router::new()
            .route("/", get(async || "7"))
            .layer(
                BreakerLayer::new(&BREAKER)
                    .classify(classify::http_response)
                    .hold_body()
                    .respond_with(service_unavailable),
            )
            .layer(BreakerLayer::new(shared()).respond_with(service_unavailable))
    }

    let task = tokio::spawn(async move {
        let request = http::Request::new(Body::empty());
        routes().oneshot(request).await.unwrap().status()
    });
    assert_eq!(task.await.unwrap(), StatusCode::OK);
}

#[tokio::test]
async fn a_reference_that_a_request_finds_goes_into_a_task_without_a_buffer() {
    let layer = BreakerLayer::by_request(|_: &u32| &BREAKER);
    let client = ServiceBuilder::new().layer(layer).service(service_fn(next));
    let task = tokio::spawn(async move { client.oneshot(6).await });
    assert_eq!(task.await.unwrap().unwrap(), 7);
}

/// The client from the documentation: a boxed `io` error below a timeout.
#[tokio::test]
async fn the_client_of_the_documentation_can_be_spawned() {
    let client = ServiceBuilder::new()
        .buffer(32)
        .layer(BreakerLayer::new(&BREAKER).flat())
        .timeout(std::time::Duration::from_secs(2))
        .service(service_fn(async |number: u32| {
            Ok::<_, io::Error>(number + 1)
        }));
    let clone = client.clone();
    let task = tokio::spawn(async move { clone.oneshot(6).await });
    assert_eq!(task.await.unwrap().unwrap(), 7);
}

//! An axum app whose breaker answers 503 while its database is down.
//!
//! `cargo run --example axum --features tower`. Requests stay in this process, without a network.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Response, StatusCode, header::RETRY_AFTER},
    routing::get,
};
use cutout::{
    Breaker, State, Trip, classify,
    clock::Manual,
    tower::{BreakerLayer, service_unavailable},
};
use tower::ServiceExt;

/// Advances only by its methods, so that the example takes no time.
static CLOCK: Manual = Manual::new();

static DATABASE: Breaker = Breaker::builder()
    .name("database")
    .trip(Trip::consecutive(3))
    .open_for(Duration::from_secs(15))
    .clock(&CLOCK)
    .build();

static IS_UP: AtomicBool = AtomicBool::new(true);

async fn offer() -> Result<&'static str, StatusCode> {
    if IS_UP.load(Ordering::Relaxed) {
        Ok("hot offer")
    } else {
        println!("     the database is called, and is down");
        Err(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

fn app() -> Router {
    let behind_the_breaker = BreakerLayer::new(&DATABASE)
        .classify(classify::http_response) // without it, a 500 is a success
        .hold_body()
        .respond_with(service_unavailable);
    Router::new()
        .route("/offer", get(offer))
        .layer(behind_the_breaker)
        .route("/health", get(async || DATABASE.state().to_string()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let app = app();

    println!("1. The database is up");
    assert_eq!(get_from(&app, "/offer").await, StatusCode::OK);

    println!("2. The database goes down: three failures in a row open the circuit");
    IS_UP.store(false, Ordering::Relaxed);
    for _ in 0..3 {
        get_from(&app, "/offer").await;
    }
    assert_eq!(DATABASE.state(), State::Open);

    println!("3. While the circuit is open, the breaker answers, and says when to retry");
    CLOCK.advance(Duration::from_millis(500));
    assert_eq!(
        get_from(&app, "/offer").await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    get_from(&app, "/health").await;

    println!("4. After 15 s one request probes: the database is up again");
    IS_UP.store(true, Ordering::Relaxed);
    CLOCK.advance(Duration::from_secs(15));
    assert_eq!(get_from(&app, "/offer").await, StatusCode::OK);
    get_from(&app, "/health").await;
    assert_eq!(DATABASE.state(), State::Closed);
}

/// Sends a request to a clone of the app, as a server does for each request.
async fn get_from(app: &Router, path: &str) -> StatusCode {
    println!("   GET {path}");
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let Ok(response): Result<Response<Body>, _> = app.clone().oneshot(request).await;
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).cloned();
    let body = axum::body::to_bytes(response.into_body(), 1_000).await;
    let body = String::from_utf8_lossy(&body.expect("a body")).into_owned();
    match retry_after {
        Some(seconds) => println!(
            "   {status}, Retry-After: {}",
            seconds.to_str().unwrap_or("?")
        ),
        None => println!("   {status} {body}"),
    }
    status
}

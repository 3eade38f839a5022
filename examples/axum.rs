//! An axum app that answers 503 by itself while its database is down.
//!
//! `cargo run --example axum --features tower`. No network: the app is asked in this process.

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

/// Stands still until it is told otherwise, so that this takes no time.
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
        println!("     the database is asked, and is down");
        Err(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

fn app() -> Router {
    let behind_the_breaker = BreakerLayer::new(&DATABASE)
        .classify(classify::http_response) // a 500 is an `Ok` until this says otherwise
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

    println!("2. It goes down: three failures in a row open the circuit");
    IS_UP.store(false, Ordering::Relaxed);
    for _ in 0..3 {
        get_from(&app, "/offer").await;
    }
    assert_eq!(DATABASE.state(), State::Open);

    println!("3. While it is open the app answers by itself, and says when to come back");
    CLOCK.advance(Duration::from_millis(500));
    assert_eq!(
        get_from(&app, "/offer").await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    get_from(&app, "/health").await;

    println!("4. After 15 s one request probes, and the database is back");
    IS_UP.store(true, Ordering::Relaxed);
    CLOCK.advance(Duration::from_secs(15));
    assert_eq!(get_from(&app, "/offer").await, StatusCode::OK);
    get_from(&app, "/health").await;
    assert_eq!(DATABASE.state(), State::Closed);
}

/// Asks the app, as a server would for each request: of a clone of it.
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

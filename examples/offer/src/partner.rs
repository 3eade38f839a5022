//! The partner's offer service: makes hot offers, and breaks or hangs on request.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde::Serialize;
use tokio::sync::watch;

use crate::wall_clock::mm_ss;

/// Health of the partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    Well,
    /// Answers 500.
    Broken,
    /// Never answers.
    Hanging,
}

struct Partner {
    /// Wakes the requests that hang.
    health: watch::Sender<Health>,
    /// Number of offer requests received. This is the only proof that rejected calls did not
    /// arrive.
    requests: AtomicU64,
}

/// The response of `/control`.
#[derive(Serialize)]
struct Status {
    health: Health,
    requests: u64,
}

impl Partner {
    fn status(&self) -> Json<Status> {
        Json(Status {
            health: *self.health.borrow(),
            requests: self.requests.load(Ordering::Relaxed),
        })
    }
}

/// A healthy partner.
pub(crate) fn service() -> Router {
    let partner = Arc::new(Partner {
        health: watch::Sender::new(Health::Well),
        requests: AtomicU64::new(0),
    });
    Router::new()
        .route("/offer/hot", get(hot_offer))
        .route("/control", get(status))
        .route("/control/{order}", post(control))
        .with_state(partner)
}

async fn hot_offer(State(partner): State<Arc<Partner>>) -> Result<String, StatusCode> {
    partner.requests.fetch_add(1, Ordering::Relaxed);
    let mut health = partner.health.subscribe();
    let health = health.wait_for(|health| *health != Health::Hanging).await;
    match health.as_deref() {
        Ok(Health::Well) => Ok(format!("Hot offer {}", mm_ss())),
        _ => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

async fn status(State(partner): State<Arc<Partner>>) -> Json<Status> {
    partner.status()
}

async fn control(
    State(partner): State<Arc<Partner>>,
    Path(order): Path<String>,
) -> Result<Json<Status>, (StatusCode, &'static str)> {
    let health = match order.as_str() {
        "break" => Health::Broken,
        "hang" => Health::Hanging,
        "recover" => Health::Well,
        _ => return Err((StatusCode::NOT_FOUND, "break, hang or recover?")),
    };
    partner.health.send_replace(health);
    Ok(partner.status())
}

//! The offer service: asks the partner through a circuit breaker, and makes a cold offer without
//! it.

use std::{sync::Arc, time::Duration};

use axum::{Json, Router, extract::State, routing::get};
use cutout::{Breaker, Outcome, Policy, PolicyError, Trip, classify};
use reqwest::Client;
use serde::Serialize;

use crate::{log::Log, wall_clock::mm_ss};

/// Three failures in a row open the circuit.
pub(crate) const POLICY: Policy = Policy::new().trip(Trip::consecutive(3));

/// How long a customer waits for a hot offer.
const PATIENCE: Duration = Duration::from_millis(500);

/// The circuit to the partner. All requests share one, so that it learns from all of them.
pub(crate) fn circuit(policy: Policy) -> Result<Breaker, PolicyError> {
    Breaker::builder()
        .name("partner")
        .policy(policy)
        .listeners(&[&Log])
        .call_listener(&Log)
        .try_build()
}

struct Offers {
    circuit: Arc<Breaker>,
    client: Client,
    /// Address of the partner's offers.
    partner: String,
}

/// The partner's answer.
struct PartnerResponse {
    status: u16,
    body: String,
}

/// The response of `/offer/circuit`.
#[derive(Serialize)]
struct Circuit {
    current_state: String,
    fail_counter: u32,
}

/// The service, with its partner at `partner`.
pub(crate) fn service(circuit: Arc<Breaker>, client: Client, partner: &str) -> Router {
    let offers = Offers {
        circuit,
        client,
        partner: format!("{partner}/offer/hot"),
    };
    Router::new()
        .route("/offer", get(offer))
        .route("/offer/circuit", get(look))
        .with_state(Arc::new(offers))
}

async fn offer(State(offers): State<Arc<Offers>>) -> String {
    let answer = offers
        .circuit
        .call_async_with(offers.ask_partner(), outcome)
        .await;
    match answer {
        Ok(PartnerResponse { status: 200, body }) => body,
        // Rejected, failed, or without an offer: the customer sees the same fallback.
        _ => format!("Cold offer fallback {}", mm_ss()),
    }
}

impl Offers {
    /// The timeout is inside the circuit, where it is an error that counts. Around the circuit it
    /// would drop the call.
    async fn ask_partner(&self) -> reqwest::Result<PartnerResponse> {
        let request = self.client.get(&self.partner).timeout(PATIENCE);
        let response = request.send().await?;
        Ok(PartnerResponse {
            status: response.status().as_u16(),
            body: response.text().await?,
        })
    }
}

/// The partner's health as shown by an answer, which need not contain an offer: a partner that
/// answers 404 is healthy.
fn outcome(answer: &reqwest::Result<PartnerResponse>) -> Outcome {
    match answer {
        Ok(answer) => classify::http_status(answer.status),
        Err(_) => Outcome::Failure,
    }
}

async fn look(State(offers): State<Arc<Offers>>) -> Json<Circuit> {
    let snapshot = offers.circuit.snapshot();
    Json(Circuit {
        current_state: snapshot.state.to_string(),
        fail_counter: snapshot.failures.unwrap_or(0),
    })
}

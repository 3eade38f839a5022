//! The offer service: it asks the partner through a circuit breaker, and makes a cold offer without it.

use std::{sync::Arc, time::Duration};

use axum::{Json, Router, extract::State, routing::get};
use cutout::{Breaker, Outcome, Policy, PolicyError, Trip, classify};
use reqwest::Client;
use serde::Serialize;

use crate::{log::Log, wall_clock::mm_ss};

/// Three failures in a row are no accident.
pub(crate) const POLICY: Policy = Policy::new().trip(Trip::consecutive(3));

/// How long a customer is kept waiting for a hot offer.
const PATIENCE: Duration = Duration::from_millis(500);

/// The circuit to the partner. There is one for all requests: it learns from all of them.
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
    /// Where the partner's offers are.
    partner: String,
}

/// What the partner answered.
struct Answer {
    status: u16,
    body: String,
}

/// What `/offer/circuit` answers.
#[derive(Serialize)]
struct Circuit {
    current_state: String,
    fail_counter: u32,
}

/// The service, with a partner at `partner`.
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
        Ok(Answer { status: 200, body }) => body,
        // Not asked, not answered, or not with an offer: to the customer it is all the same.
        _ => format!("Cold offer fallback {}", mm_ss()),
    }
}

impl Offers {
    /// The timeout is in here and not around the circuit, where it would drop the call: here it is an
    /// error that the circuit sees.
    async fn ask_partner(&self) -> reqwest::Result<Answer> {
        let request = self.client.get(&self.partner).timeout(PATIENCE);
        let response = request.send().await?;
        Ok(Answer {
            status: response.status().as_u16(),
            body: response.text().await?,
        })
    }
}

/// What an answer says of the partner's health, which is not whether it was an offer: a partner that
/// answers 404 is well.
fn outcome(answer: &reqwest::Result<Answer>) -> Outcome {
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

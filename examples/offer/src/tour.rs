//! The tour: what a circuit breaker is for, in steps that check themselves.

use std::{fmt::Display, future::pending, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, anyhow, ensure};
use cutout::Breaker;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::{
    offers,
    pair::{self, Pair},
    stdout::line,
};

/// Long compared with the steps that run within it, so that a busy machine changes nothing.
const OPEN_FOR: Duration = Duration::from_millis(1_500);
/// Longer than a call that ends by its timeout: such a probe must keep its slot.
const PROBE_LEASE: Duration = Duration::from_secs(1);
/// Upper bound of the whole tour. Without a failure it takes nine seconds.
const LIMIT: Duration = Duration::from_secs(14);
const MOMENT: Duration = Duration::from_millis(20);

const HOT: &str = "Hot offer MM:SS";
const COLD: &str = "Cold offer fallback MM:SS";

struct Tour {
    client: Client,
    pair: Pair,
    circuit: Arc<Breaker>,
    end: Instant,
}

/// The response to a request.
struct Reply {
    status: u16,
    body: String,
}

pub(crate) async fn run() -> anyhow::Result<()> {
    let policy = offers::POLICY.open_for(OPEN_FOR).probe_lease(PROBE_LEASE);
    let circuit = Arc::new(offers::circuit(policy)?);
    let tour = &Tour {
        client: pair::client()?,
        pair: pair::start([0, 0], Arc::clone(&circuit)).await?,
        circuit,
        end: Instant::now() + LIMIT,
    };
    line("Customers ask the offer service, which asks its partner through a circuit breaker.");

    tour.step("1. The partner is well: offers are hot", tour.hot_offers())
        .await?;
    tour.step(
        "2. The partner breaks: three failures in a row open the circuit",
        tour.the_partner_breaks(),
    )
    .await?;
    tour.step(
        "3. While the circuit is open the partner is left alone",
        tour.the_partner_is_left_alone(),
    )
    .await?;
    tour.step(
        "4. After a while one call probes; it fails, and the circuit opens again",
        tour.a_probe_fails(),
    )
    .await?;
    tour.step(
        "5. The partner recovers: the next probe closes the circuit",
        tour.the_partner_recovers(),
    )
    .await?;
    tour.step(
        "6. The partner hangs: a timeout counts as a failure",
        tour.the_partner_hangs(),
    )
    .await?;
    tour.step(
        "7. A probe that never returns loses its slot: the circuit does not get stuck",
        tour.a_probe_never_returns(),
    )
    .await?;

    line("\nEvery step went as expected.");
    Ok(())
}

/// The steps.
impl Tour {
    async fn hot_offers(&self) -> anyhow::Result<()> {
        self.offer(HOT, "closed", 0).await?;
        self.offer(HOT, "closed", 0).await
    }

    async fn the_partner_breaks(&self) -> anyhow::Result<()> {
        self.tell_partner("break").await?;
        self.offer(COLD, "closed", 1).await?;
        self.offer(COLD, "closed", 2).await?;
        self.offer(COLD, "open", 3).await
    }

    async fn the_partner_is_left_alone(&self) -> anyhow::Result<()> {
        let before = self.requests_to_partner().await?;
        self.offer(COLD, "open", 3).await?;
        self.offer(COLD, "open", 3).await?;
        let rejected = self.circuit.peek().err();
        let says_when = rejected.is_some_and(|rejected| rejected.retry_after().is_some());
        check("whether a rejection says when to retry", &true, &says_when)?;
        let after = self.requests_to_partner().await?;
        say(format_args!(
            "the partner had {before} requests before these, and has had {after} now"
        ));
        check("the requests to the partner", &before, &after)
    }

    async fn a_probe_fails(&self) -> anyhow::Result<()> {
        self.until_half_open().await?;
        let before = self.requests_to_partner().await?;
        self.offer(COLD, "open", 3).await?;
        let after = self.requests_to_partner().await?;
        check("the requests to the partner", &(before + 1), &after)
    }

    async fn the_partner_recovers(&self) -> anyhow::Result<()> {
        self.tell_partner("recover").await?;
        // No request reaches the partner during the open period, so its recovery is still unknown.
        self.offer(COLD, "open", 3).await?;
        self.until_half_open().await?;
        self.offer(HOT, "closed", 0).await?;
        self.offer(HOT, "closed", 0).await
    }

    async fn the_partner_hangs(&self) -> anyhow::Result<()> {
        self.tell_partner("hang").await?;
        self.offer(COLD, "closed", 1).await?;
        self.offer(COLD, "closed", 2).await?;
        self.offer(COLD, "open", 3).await?;
        say("and now no request waits for it any more");
        self.offer(COLD, "open", 3).await
    }

    async fn a_probe_never_returns(&self) -> anyhow::Result<()> {
        self.tell_partner("recover").await?;
        self.until_half_open().await?;
        say("a call without any timeout takes the probe's slot, and hangs");
        let mut hung = Box::pin(self.circuit.call_async(pending::<Result<(), ()>>()));
        // This timeout only borrows the call for a moment: it drops a reference.
        let returned = timeout(MOMENT, &mut hung).await.is_ok();
        check("whether the probe returned", &false, &returned)?;
        self.offer(COLD, "half-open", 3).await?;
        say("(waiting until the probe's lease has expired)");
        while self.circuit.peek().is_err() {
            sleep(MOMENT).await;
        }
        self.offer(COLD, "open", 3).await?;
        self.until_half_open().await?;
        self.offer(HOT, "closed", 0).await?;
        say("the hung call is cancelled");
        drop(hung);
        check(
            "the circuit",
            &expected_circuit("closed", 0),
            &self.circuit().await?,
        )
    }
}

/// Actions of the steps.
impl Tour {
    /// Runs a step, and adds its headline to the error if it fails.
    async fn step(
        &self,
        headline: &str,
        step: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        line(format_args!("\n{headline}\n"));
        timeout_at(self.end, step)
            .await
            .unwrap_or_else(|_| Err(anyhow!("the tour did not end within {LIMIT:?}")))
            .with_context(|| format!("step {headline:?} failed"))
    }

    /// Asks for an offer and then for the circuit, as a customer and an operator would.
    async fn offer(&self, expected: &str, state: &str, failures: u32) -> anyhow::Result<()> {
        say("GET /offer");
        let offer = self.get(self.pair.offers, "/offer").await?;
        let circuit = self.circuit().await?;
        say(format_args!(
            "{} {}   circuit {circuit}",
            offer.status, offer.body
        ));
        check("the status", &200, &offer.status)?;
        check("the offer", expected, without_time(&offer.body).as_str())?;
        check("the circuit", &expected_circuit(state, failures), &circuit)
    }

    /// The circuit's state as the offer service reports it.
    async fn circuit(&self) -> anyhow::Result<Value> {
        let answer = self.get(self.pair.offers, "/offer/circuit").await?;
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// Waits until the next call is a probe. The breaker makes no transition at that time: the
    /// state is computed when it is read.
    async fn until_half_open(&self) -> anyhow::Result<()> {
        say("(waiting until the circuit is half-open)");
        loop {
            let circuit = self.circuit().await?;
            if circuit["current_state"] == "half-open" {
                say(format_args!("circuit {circuit}"));
                return Ok(());
            }
            sleep(MOMENT).await;
        }
    }

    async fn tell_partner(&self, order: &str) -> anyhow::Result<()> {
        say(format_args!("POST /control/{order}, to the partner"));
        let url = format!("http://{}/control/{order}", self.pair.partner);
        let response = self.client.post(url).send().await?;
        check("the status", &200, &response.status().as_u16())
    }

    /// The number of requests that the partner has counted.
    async fn requests_to_partner(&self) -> anyhow::Result<u64> {
        let answer = self.get(self.pair.partner, "/control").await?;
        let status: Value = serde_json::from_str(&answer.body)?;
        status["requests"].as_u64().context("no count of requests")
    }

    async fn get(&self, service: SocketAddr, path: &str) -> anyhow::Result<Reply> {
        let response = self
            .client
            .get(format!("http://{service}{path}"))
            .send()
            .await?;
        Ok(Reply {
            status: response.status().as_u16(),
            body: response.text().await?,
        })
    }
}

fn expected_circuit(state: &str, failures: u32) -> Value {
    json!({ "current_state": state, "fail_counter": failures })
}

/// The text with each time, such as `12:34`, replaced by `MM:SS`.
fn without_time(text: &str) -> String {
    text.replace(|c: char| c.is_ascii_digit(), "0")
        .replace("00:00", "MM:SS")
}

fn check<T>(what: &str, expected: &T, got: &T) -> anyhow::Result<()>
where
    T: PartialEq + Display + ?Sized,
{
    ensure!(expected == got, "{what}: expected {expected}, got {got}");
    Ok(())
}

fn say(what: impl Display) {
    line(format_args!("   {what}"));
}

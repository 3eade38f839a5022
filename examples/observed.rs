//! Observability of an outage: the log, and the samples that Prometheus scrapes.
//!
//! `cargo run --example observed --features tracing,metrics`

use std::{sync::Arc, time::Duration};

use cutout::{
    Breaker, Trip,
    clock::Manual,
    metrics::{self as breaker_metrics, Metrics},
    tracing::Events,
};
use metrics_exporter_prometheus::PrometheusBuilder;
use tracing::Level;

const OPEN_FOR: Duration = Duration::from_secs(15);

fn main() {
    tracing_subscriber::fmt()
        .with_max_level(Level::DEBUG)
        .without_time()
        .with_ansi(false)
        .init();
    // A service uses `.install()`, which also serves the scrapes.
    let prometheus = PrometheusBuilder::new()
        .install_recorder()
        .expect("the first recorder");
    breaker_metrics::describe();

    let clock = Arc::new(Manual::new()); // Advances only by its methods.
    let billing = Breaker::builder()
        .name("billing")
        .trip(Trip::consecutive(3))
        .open_for(OPEN_FOR)
        .listeners(&[&Events])
        .build()
        .with_shared_clock(clock.clone());
    let billing = Metrics::new().on(billing);

    println!("-- the log of an outage");
    for _ in 0..5 {
        billing
            .call(|| Err::<(), _>("service answered 500"))
            .unwrap_err();
    }
    clock.advance(OPEN_FOR);
    billing
        .call(|| Err::<(), _>("service answered 500"))
        .unwrap_err();

    let scrape = prometheus.render();
    println!("-- a scrape during the outage\n{}", sorted(&scrape));
    let open =
        r#"circuit_breaker_count{circuit_breaker_name="billing",circuit_breaker_state="open"} 1"#;
    assert!(scrape.contains(open));

    println!("-- the log of the recovery");
    clock.advance(OPEN_FOR);
    billing.call(|| Ok::<_, &str>("hot offer")).unwrap();
    assert!(prometheus.render().contains(&open.replace("} 1", "} 0")));
}

/// Returns the samples of a scrape, sorted.
fn sorted(scrape: &str) -> String {
    let mut samples: Vec<_> = scrape
        .lines()
        .filter(|line| line.starts_with("circuit"))
        .collect();
    samples.sort_unstable();
    samples.join("\n")
}

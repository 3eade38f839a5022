//! An outage as operators see it: the log, and what Prometheus scrapes.
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
    // A service has `.install()` here, which serves the scrapes as well.
    let prometheus = PrometheusBuilder::new()
        .install_recorder()
        .expect("the first recorder");
    breaker_metrics::describe();

    let clock = Arc::new(Manual::new()); // Stands still, so that this takes no time.
    let partner = Breaker::builder()
        .name("partner")
        .trip(Trip::consecutive(3))
        .open_for(OPEN_FOR)
        .listeners(&[&Events])
        .call_listener(&Events)
        .build()
        .with_shared_clock(clock.clone());
    let partner = Metrics::new().rejections().on(partner);

    println!("-- the log of an outage");
    for _ in 0..5 {
        partner
            .call(|| Err::<(), _>("partner answered 500"))
            .unwrap_err();
    }
    clock.advance(OPEN_FOR);
    partner
        .call(|| Err::<(), _>("partner answered 500"))
        .unwrap_err();

    let scrape = prometheus.render();
    println!("-- a scrape while it lasts\n{}", sorted(&scrape));
    let open =
        r#"circuit_breaker_count{circuit_breaker_name="partner",circuit_breaker_state="open"} 1"#;
    assert!(scrape.contains(open));

    println!("-- the log of the recovery");
    clock.advance(OPEN_FOR);
    partner.call(|| Ok::<_, &str>("hot offer")).unwrap();
    assert!(prometheus.render().contains(&open.replace("} 1", "} 0")));
}

/// A scrape's samples, in order.
fn sorted(scrape: &str) -> String {
    let mut samples: Vec<_> = scrape
        .lines()
        .filter(|line| line.starts_with("circuit"))
        .collect();
    samples.sort_unstable();
    samples.join("\n")
}

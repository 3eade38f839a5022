//! One breaker for each tenant, under a flood of requests with unknown keys.
//!
//! `cargo run --example keyed --features keyed`

use std::{sync::Arc, time::Duration};

use cutout::{Breaker, Error, State, Trip, clock::Manual, keyed::Breakers};

const BOUND: u32 = 4;
const OPEN_FOR: Duration = Duration::from_secs(15);

fn main() {
    let clock = Arc::new(Manual::new()); // Advances only by its methods.
    let tenants: Breakers<String> = Breakers::builder()
        .each(
            Breaker::builder()
                .trip(Trip::consecutive(3))
                .open_for(OPEN_FOR),
        )
        .bound(BOUND)
        .listener(|tenant: Option<&String>, transition: &_| {
            let tenant = tenant.map_or("overflow", String::as_str);
            println!("   {tenant}: {} to {}", transition.from, transition.to);
        })
        .shared_clock(clock.clone())
        .build();

    println!(
        "1. Each tenant has a separate breaker: one shard is down, and only its tenant is rejected"
    );
    for tenant in ["ada", "bob", "ada", "bob", "ada", "bob"] {
        ask(&tenants, tenant, tenant != "ada");
    }
    assert_eq!(tenants.get("ada").state(), State::Open);
    assert_eq!(tenants.get("bob").state(), State::Closed);
    page(&tenants);

    println!(
        "2. Ten thousand unknown keys take the slots of closed breakers; the open breaker stays"
    );
    for stranger in 0..10_000 {
        ask(&tenants, &format!("stranger-{stranger}"), true);
    }
    ask(&tenants, "ada", true);
    assert_eq!(tenants.len(), 4);
    page(&tenants);

    println!("3. If all breakers are open, new keys get the overflow breaker");
    for tenant in ["bob", "cyd", "dot"] {
        for _ in 0..3 {
            ask(&tenants, tenant, false);
        }
    }
    assert!(Arc::ptr_eq(&tenants.get("eve"), &tenants.overflow()));
    assert!(Arc::ptr_eq(&tenants.get("fay"), &tenants.overflow()));
    page(&tenants);

    println!("4. A tenant recovers, and a new key takes its slot");
    clock.advance(OPEN_FOR);
    ask(&tenants, "ada", true);
    ask(&tenants, "eve", true);
    assert!(tenants.find("ada").is_none());
    assert!(tenants.find("eve").is_some());

    println!("5. New keys also take the slots of open breakers that are no longer used");
    for _ in 0..3 {
        ask(&tenants, "eve", false);
    }
    clock.advance(OPEN_FOR);
    ask(&tenants, "fay", true);
    page(&tenants);
    assert!(tenants.find("fay").is_some());
}

/// Calls the shard of a tenant.
fn ask(tenants: &Breakers<String>, tenant: &str, is_up: bool) {
    let answer = tenants
        .get(tenant)
        .call(|| if is_up { Ok(()) } else { Err("shard is down") });
    if let Err(Error::Rejected(rejected)) = answer {
        println!("   {tenant}: {rejected}");
    }
}

/// Prints a status page.
fn page(tenants: &Breakers<String>) {
    let mut lines = Vec::new();
    tenants.for_each(|tenant, breaker| lines.push(format!("{tenant} {}", breaker.state())));
    lines.sort();
    println!("   [{}]", lines.join(", "));
}

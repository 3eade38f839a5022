//! One breaker for each tenant, and strangers who send keys of their own making.
//!
//! `cargo run --example keyed --features keyed`

use std::{sync::Arc, time::Duration};

use cutout::{Breaker, Error, State, Trip, clock::Manual, keyed::Breakers};

const BOUND: u32 = 4;
const OPEN_FOR: Duration = Duration::from_secs(15);

fn main() {
    let clock = Arc::new(Manual::new()); // Stands still, so that this takes no time.
    let tenants: Breakers<String> = Breakers::builder()
        .each(
            Breaker::builder()
                .trip(Trip::consecutive(3))
                .open_for(OPEN_FOR),
        )
        .bound(BOUND)
        .listener(|tenant: Option<&String>, transition: &_| {
            let tenant = tenant.map_or("all that found no slot", String::as_str);
            println!("   {tenant}: {} to {}", transition.from, transition.to);
        })
        .shared_clock(clock.clone())
        .build();

    println!(
        "1. Each tenant has a breaker of its own: one shard is down, and only its tenant notices"
    );
    for tenant in ["ada", "bob", "ada", "bob", "ada", "bob"] {
        ask(&tenants, tenant, tenant != "ada");
    }
    assert_eq!(tenants.get("ada").state(), State::Open);
    assert_eq!(tenants.get("bob").state(), State::Closed);
    page(&tenants);

    println!(
        "2. Ten thousand keys that nobody knows take the slots of closed breakers, not that of ada's"
    );
    for stranger in 0..10_000 {
        ask(&tenants, &format!("stranger-{stranger}"), true);
    }
    ask(&tenants, "ada", true);
    assert_eq!(tenants.len(), 4);
    page(&tenants);

    println!("3. Where all are open there is no slot: newcomers share one breaker");
    for tenant in ["bob", "cyd", "dot"] {
        for _ in 0..3 {
            ask(&tenants, tenant, false);
        }
    }
    assert!(Arc::ptr_eq(&tenants.get("eve"), &tenants.overflow()));
    assert!(Arc::ptr_eq(&tenants.get("fay"), &tenants.overflow()));
    page(&tenants);

    println!("4. A tenant is well again, and then gives its slot to a newcomer");
    clock.advance(OPEN_FOR);
    ask(&tenants, "ada", true);
    ask(&tenants, "eve", true);
    assert!(tenants.find("ada").is_none());
    assert!(tenants.find("eve").is_some());

    println!("5. Open breakers that nobody asks for any more give their slots to newcomers too");
    for _ in 0..3 {
        ask(&tenants, "eve", false);
    }
    clock.advance(OPEN_FOR);
    ask(&tenants, "fay", true);
    page(&tenants);
    assert!(tenants.find("fay").is_some());
}

/// A call for a tenant, whose shard is well or not.
fn ask(tenants: &Breakers<String>, tenant: &str, well: bool) {
    let answer = tenants
        .get(tenant)
        .call(|| if well { Ok(()) } else { Err("shard is down") });
    if let Err(Error::Rejected(rejected)) = answer {
        println!("   {tenant}: {rejected}");
    }
}

/// What a status page shows.
fn page(tenants: &Breakers<String>) {
    let mut lines = Vec::new();
    tenants.for_each(|tenant, breaker| lines.push(format!("{tenant} {}", breaker.state())));
    lines.sort();
    println!("   [{}]", lines.join(", "));
}

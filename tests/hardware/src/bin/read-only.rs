//! Runs one configuration with the breaker, and everything it has allocated, in read-only pages. A
//! store to them kills this program.
//!
//! `read-only TRIP STATE use|store|store-unprotected`

#[cfg(unix)]
mod unix {
    use hardware_tests::{scenes::Scene, vault::Vault};

    #[global_allocator]
    static VAULT: Vault = Vault::new();

    pub(super) fn main() {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [trip, stands, what] = &arguments[..] else {
            panic!("TRIP STATE use|store|store-unprotected");
        };
        let scene = Scene::of(trip, stands).expect("a configuration with these names");
        let protect = what != "store-unprotected";
        let breaker = VAULT.keep(protect, || scene.begin());
        if what == "use" {
            scene.use_in_every_way(breaker);
        } else {
            println!("a store");
            scene.store(breaker);
        }
        println!("done");
    }
}

fn main() {
    #[cfg(unix)]
    unix::main();
}

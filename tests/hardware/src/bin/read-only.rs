//! Runs one configuration with the breaker, and everything it has allocated, in read-only pages. A
//! store to them kills this program.
//!
//! `read-only TRIP STATE use|store|store-unprotected`

#[cfg(unix)]
mod unix {
    use hardware_tests::{arena::ProtectedArena, configurations::Configuration};

    #[global_allocator]
    static ARENA: ProtectedArena = ProtectedArena::new();

    pub(super) fn main() {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [trip, state, what] = &arguments[..] else {
            panic!("TRIP STATE use|store|store-unprotected");
        };
        let configuration =
            Configuration::of(trip, state).expect("a configuration with these names");
        let protect = what != "store-unprotected";
        let breaker = ARENA.allocate(protect, || configuration.build());
        if what == "use" {
            configuration.use_without_storing(breaker);
        } else {
            println!("a store");
            configuration.store(breaker);
        }
        println!("done");
    }
}

fn main() {
    #[cfg(unix)]
    unix::main();
}

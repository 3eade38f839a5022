//! I21 by hardware: a call of a healthy breaker and a rejected call store nothing in the breaker or
//! its allocations.
//!
//! Those pages are read-only and a store ends the process, so each configuration runs in its own
//! process.
#![cfg(unix)]

use std::{
    os::unix::process::ExitStatusExt,
    process::{Command, ExitStatus},
};

use hardware_tests::configurations::Configuration;

/// Signal of a store to a read-only page: SIGSEGV, or SIGBUS on Apple's systems.
const FAULT: i32 = if cfg!(target_vendor = "apple") {
    10
} else {
    11
};

/// Exit status of `read-only`, and the last line that it printed.
fn run(configuration: Configuration, what: &str) -> (ExitStatus, String) {
    let Configuration { trip, state } = configuration;
    let output = Command::new(env!("CARGO_BIN_EXE_read-only"))
        .args([trip, &format!("{state:?}"), what])
        .output()
        .expect("read-only starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    let last = printed.lines().last().unwrap_or_default().to_owned();
    (output.status, last)
}

/// I21.
#[test]
fn healthy_and_rejected_calls_store_nothing() {
    for configuration in Configuration::all() {
        let (status, last) = run(configuration, "use");
        assert!(
            status.success() && last == "done",
            "{configuration:?}: {last}: {status}"
        );
    }
    assert_eq!(
        Configuration::all().count(),
        54,
        "eleven trips in five states, except one"
    );
}

/// Shows that the test above can fail, in each configuration.
#[test]
fn one_additional_store_faults_in_each_configuration() {
    for configuration in Configuration::all() {
        let (status, last) = run(configuration, "store");
        assert_eq!(
            status.signal(),
            Some(FAULT),
            "{configuration:?}: {last}: {status}"
        );
        assert_eq!(last, "a store", "{configuration:?}");
    }
}

/// Shows that the fault comes from the protection.
#[test]
fn no_store_faults_in_unprotected_pages() {
    for configuration in Configuration::all() {
        let (status, last) = run(configuration, "store-unprotected");
        assert!(
            status.success() && last == "done",
            "{configuration:?}: {last}: {status}"
        );
    }
}

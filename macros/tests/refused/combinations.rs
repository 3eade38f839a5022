//! Arguments that require or exclude each other.

#[cutout::breaker(failures = 3)]
fn failures_without_window() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(consecutive = 3, of_last = 20)]
fn window_without_threshold() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(failures = 3, of_last = 20, min_calls = 10)]
fn min_calls_without_percent() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(failures = 3, percent = 50, of_last = 20)]
fn two_thresholds() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(failures = 3, within = "10s", of_last = 20)]
fn two_windows() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(open_for = "15s", backoff(base = "5s", factor = 2, cap = "60s"))]
fn two_intervals() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(consecutive = 3, trip = TRIP)]
fn two_trips() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(breaker = BILLING, fallback = cold, probes = 2)]
fn policy_of_another() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(accessor = circuit, breaker = BILLING)]
fn accessor_to_another() -> Result<(), cutout::Rejected> {
    Ok(())
}

fn main() {}

//! Arguments that are unknown, misplaced, duplicated or without a value.

#[cutout::breaker(maxAttempts = 3)]
fn unknown() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(consecutiv = 3)]
fn nearly_known() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(consecutive = 3, jitter = 20)]
fn outside_backoff() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(backoff(base = "5s", factor = 2, limit = "60s"))]
fn unknown_in_backoff() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(backoff(base = "5s", factor = 2))]
fn incomplete_backoff() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(probes = 1, consecutive = 3, probes = 2)]
fn twice() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(probes, consecutive = 3)]
fn no_value() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(probes = , consecutive = 3)]
fn empty_value() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(probes = 1 consecutive = 3)]
fn no_comma() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(3)]
fn no_word() -> Result<(), cutout::Rejected> {
    Ok(())
}

fn main() {}

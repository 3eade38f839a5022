//! Values of the wrong kind for their argument.

#[cutout::breaker(consecutive = "3")]
fn text_for_number() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(consecutive = -3)]
fn negative() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(open_for = 15)]
fn number_for_duration() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(open_for = "15 parsecs")]
fn no_duration() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(open_for = "15")]
fn no_unit() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(backoff(base = "5s", factor = 2, cap = "a minute"))]
fn no_duration_in_backoff() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(on_drop = Forget)]
fn unknown_drop() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(on_drop = FailureAfter("soon"))]
fn no_duration_in_drop() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(name = 7)]
fn number_for_name() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(clock = &CLOCK)]
fn reference_to_clock() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(listeners = LOG)]
fn no_list() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(fallback = cold())]
fn called_fallback() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(classify = |_| cutout::Outcome::Success)]
fn closure() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(accessor = "circuit")]
fn text_for_accessor() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(accessor = a::circuit)]
fn path_for_accessor() -> Result<(), cutout::Rejected> {
    Ok(())
}

#[cutout::breaker(fallback = async cold)]
fn awaited_in_vain() -> Result<(), cutout::Rejected> {
    Ok(())
}

fn main() {}

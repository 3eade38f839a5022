use super::*;
use crate::name::Name;

fn rejected(remaining: u64) -> Rejected {
    Rejected::new(RejectReason::Open { remaining }, 3, Name::new(None).id())
}

#[test]
fn retry_after_is_a_duration_seconds_and_text() {
    let rejected = rejected(6_002);
    assert_eq!(
        rejected.retry_after(),
        Some(Duration::from_micros(1_500_500))
    );
    assert_eq!(rejected.retry_after_secs(), Some(2));
    assert_eq!(rejected.to_string(), "circuit is open, retry after 1.501s");
}

#[test]
fn the_rounding_tick_adds_no_second() {
    for (ticks, secs, text) in [(1, 1, "1ms"), (4_001, 1, "1s"), (4_002, 2, "1.001s")] {
        let rejected = rejected(ticks);
        assert_eq!(rejected.retry_after_secs(), Some(secs), "{ticks}");
        let text = format!("circuit is open, retry after {text}");
        assert_eq!(rejected.to_string(), text);
    }
}

#[test]
fn a_whole_number_of_seconds_is_not_rounded() {
    assert_eq!(rejected(8_000).retry_after_secs(), Some(2));
    assert_eq!(
        rejected(8_000).to_string(),
        "circuit is open, retry after 2s"
    );
}

#[test]
fn busy_probes_have_an_upper_bound_and_an_operator_has_none() {
    let busy = Rejected::new(
        RejectReason::Busy { remaining: 6_000 },
        3,
        Name::new(Some("billing")).id(),
    );
    assert_eq!(busy.retry_after(), Some(Duration::from_millis(1_500)));
    assert_eq!(busy.retry_after_secs(), Some(2));
    assert_eq!(
        busy.to_string(),
        "circuit \"billing\" is half-open and its probes are busy, retry after 1.5s"
    );
    let forced = Rejected::new(RejectReason::Forced, 3, Name::new(None).id());
    assert_eq!(
        (forced.retry_after(), forced.retry_after_secs()),
        (None, None)
    );
    assert_eq!(forced.to_string(), "circuit is forced open");
}

#[test]
fn a_rejection_is_small() {
    #[cfg(feature = "std")]
    {
        let word = size_of::<u64>();
        assert_eq!(size_of::<Rejected>(), word);
        assert_eq!(size_of::<Error<()>>(), word);
        assert_eq!(size_of::<Result<u64, Error<()>>>(), 2 * word);
        assert_eq!(size_of::<Result<u64, Error<Box<u8>>>>(), 2 * word);
    }
    #[cfg(not(feature = "std"))]
    assert_eq!(
        size_of::<Rejected>(),
        size_of::<u64>() + size_of::<Option<&str>>()
    );
}

#[test]
fn an_error_is_transparent() {
    let error = Error::Inner(fmt::Error);
    assert_eq!(error.to_string(), fmt::Error.to_string());
    assert!(error::Error::source(&error).is_none());
    let error = Error::<fmt::Error>::from(rejected(4));
    assert_eq!(error.to_string(), "circuit is open, retry after 1ms");
    assert_eq!(error.rejected().map(Rejected::generation), Some(3));
    assert_eq!(error.map_inner(|_| ()).into_inner(), None);
}

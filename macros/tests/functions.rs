//! Functions, each with its own breaker.

mod support;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use cutout::{
    Admitted, Backoff, CallListener, Error, OnDrop, Outcome, Policy, State, Transition, Trip,
    clock::Manual,
};

use support::Broken;

#[test]
fn a_function_trips_is_rejected_probes_and_recovers() {
    static CLOCK: Manual = Manual::new();
    static CALLS: AtomicU32 = AtomicU32::new(0);

    #[cutout::breaker(consecutive = 3, open_for = "15s", clock = CLOCK)]
    fn offer(well: bool) -> Result<u32, Broken> {
        CALLS.fetch_add(1, Ordering::Relaxed);
        if well { Ok(7) } else { Err(Broken::Service) }
    }

    for _ in 0..3 {
        assert_eq!(offer(false), Err(Broken::Service));
    }
    assert_eq!(offer_breaker().state(), State::Open);
    let Err(Broken::Rejected(rejected)) = offer(true) else {
        panic!("an open breaker lets nobody through");
    };
    assert_eq!(rejected.retry_after(), Some(Duration::from_secs(15)));
    assert_eq!(CALLS.load(Ordering::Relaxed), 3);

    CLOCK.advance(Duration::from_secs(15));
    assert_eq!(offer(true), Ok(7));
    assert_eq!(offer_breaker().state(), State::Closed);
}

#[test]
fn each_function_has_a_breaker_of_its_own_that_bears_its_name() {
    #[cutout::breaker(consecutive = 1)]
    fn billing() -> Result<(), Broken> {
        Err(Broken::Service)
    }

    #[cutout::breaker]
    fn search() -> Result<(), Broken> {
        Ok(())
    }

    #[cutout::breaker(name = "billing", accessor = circuit)]
    fn named() -> Result<(), Broken> {
        Ok(())
    }

    #[cutout::breaker]
    fn r#type() -> Result<(), Broken> {
        Ok(())
    }

    assert_eq!(billing(), Err(Broken::Service));
    assert_eq!(billing_breaker().snapshot().name, Some("billing"));
    assert_eq!(billing_breaker().state(), State::Open);
    assert_eq!(search(), Ok(()));
    assert_eq!(search_breaker().state(), State::Closed);
    assert_eq!(search_breaker().policy(), Policy::new());
    assert_eq!(named(), Ok(()));
    assert_eq!(circuit().snapshot().name, Some("billing"));
    assert_eq!(r#type(), Ok(()));
    assert_eq!(type_breaker().snapshot().name, Some("type"));
}

#[test]
fn a_fallback_gets_the_error_and_the_rejection() {
    static ERRORS: Mutex<Vec<Error<&str>>> = Mutex::new(Vec::new());

    #[expect(
        clippy::unnecessary_wraps,
        reason = "a fallback returns what its function does"
    )]
    fn cold(error: Error<&'static str>) -> Result<&'static str, &'static str> {
        ERRORS.lock().unwrap().push(error);
        Ok("cold")
    }

    #[cutout::breaker(consecutive = 1, fallback = cold)]
    fn offer(answer: Result<&'static str, &'static str>) -> Result<&'static str, &'static str> {
        answer
    }

    assert_eq!(offer(Ok("hot")), Ok("hot"));
    assert_eq!(offer(Err("broken")), Ok("cold"));
    assert_eq!(offer(Ok("hot")), Ok("cold"));
    let errors = ERRORS.lock().unwrap();
    assert_eq!(errors[0], Error::Inner("broken"));
    assert!(errors[1].rejected().is_some());
    assert_eq!(errors.len(), 2);
}

#[test]
fn return_and_question_mark_end_the_body_and_are_counted() {
    #[cutout::breaker(consecutive = 2)]
    fn parsed(text: &str) -> Result<u32, Broken> {
        if text.is_empty() {
            return Err(Broken::Service);
        }
        let number: u32 = text.parse()?;
        Ok(number)
    }

    assert_eq!(parsed("7"), Ok(7));
    assert_eq!(parsed("many"), Err(Broken::Number));
    assert_eq!(parsed_breaker().snapshot().failures, Some(1));
    assert_eq!(parsed(""), Err(Broken::Service));
    assert_eq!(parsed_breaker().state(), State::Open);
}

#[test]
fn arguments_of_every_kind_pass() {
    struct Pair {
        left: u32,
        right: String,
    }

    #[cutout::breaker]
    fn all(
        mut count: u32,
        (a, b): (u32, u32),
        Pair { left, right }: Pair,
        list: &mut Vec<u32>,
        owned: String,
        _: u8,
    ) -> Result<String, Broken> {
        count += a + b + left;
        list.push(count);
        Ok(owned + &right)
    }

    #[cutout::breaker]
    fn borrowed<'a>(list: &'a mut Vec<String>, text: &str) -> Result<&'a mut String, Broken> {
        list.push(text.into());
        list.last_mut().ok_or(Broken::Service)
    }

    #[cutout::breaker]
    fn opaque(list: Vec<u32>) -> Result<impl Iterator<Item = u32>, Broken> {
        Ok(list.into_iter().map(|n| n + 1))
    }

    #[cutout::breaker]
    fn boxed(text: &str) -> anyhow_like::Result<u32> {
        if text.is_empty() {
            return Err(Box::new(std::fmt::Error));
        }
        Ok(text.parse()?)
    }

    let mut list = Vec::new();
    let pair = Pair {
        left: 3,
        right: "b".into(),
    };
    assert_eq!(
        all(1, (1, 2), pair, &mut list, "a".into(), 0),
        Ok("ab".into())
    );
    assert_eq!(list, [7]);
    let mut texts = vec![];
    borrowed(&mut texts, "a").unwrap().push('b');
    assert_eq!(texts, ["ab"]);
    assert!(opaque(vec![1, 2]).unwrap().eq([2, 3]));
    assert_eq!(boxed("7").unwrap(), 7);
    assert!(boxed("").unwrap_err().is::<std::fmt::Error>());
}

/// An alias, with an error that any error converts to.
mod anyhow_like {
    pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
}

#[test]
fn every_word_reaches_the_policy() {
    const BASE: Policy = Policy::new().probes(9).probe_successes(4);
    const LIMIT: Duration = Duration::from_millis(1_500);

    #[cutout::breaker(
        consecutive = 4,
        failures = 5,
        of_last = 30,
        backoff(base = "5s", factor = 3, cap = "60s", jitter = 25, seed = 7),
        probes = 2,
        probe_successes = 3,
        probe_lease = "40s",
        slow_call = "2s",
        on_drop = FailureAfter("1s"),
    )]
    fn all() -> Result<(), Broken> {
        Ok(())
    }

    #[cutout::breaker(percent = 50, min_calls = 10, within = "10s", open_for = LIMIT, on_drop = Ignore)]
    fn rate() -> Result<(), Broken> {
        Ok(())
    }

    #[cutout::breaker(policy = BASE, probes = 1 + 1, trip = Trip::consecutive(2), backoff = Backoff::constant(LIMIT))]
    fn based() -> Result<(), Broken> {
        Ok(())
    }

    let second = Duration::from_secs(1);
    let expected = Policy::new()
        .trip(Trip::consecutive(4).or(Trip::failures(5).of_last(30)))
        .backoff(
            Backoff::exponential(5 * second, 3, 60 * second)
                .jitter(25)
                .seed(7),
        )
        .probes(2)
        .probe_successes(3)
        .probe_lease(40 * second)
        .slow_call(2 * second)
        .on_drop(OnDrop::FailureAfter(second));
    assert_eq!(all(), Ok(()));
    assert_eq!(all_breaker().policy(), expected);

    let expected = Policy::new()
        .trip(Trip::percent(50).min_calls(10).within(10 * second))
        .open_for(LIMIT)
        .on_drop(OnDrop::Ignore);
    assert_eq!(rate(), Ok(()));
    assert_eq!(rate_breaker().policy(), expected);

    let expected = BASE.probes(2).trip(Trip::consecutive(2)).open_for(LIMIT);
    assert_eq!(based(), Ok(()));
    assert_eq!(based_breaker().policy(), expected);
}

#[test]
fn listeners_are_notified() {
    static NOTIFIED: Mutex<Vec<State>> = Mutex::new(Vec::new());
    static LOG: fn(&Transition) = |transition| NOTIFIED.lock().unwrap().push(transition.to);
    static METRICS: fn(&Transition) = |transition| NOTIFIED.lock().unwrap().push(transition.from);
    static CALLS: Calls = Calls(AtomicU32::new(0));

    struct Calls(AtomicU32);

    impl CallListener for Calls {
        fn on_admitted(&self, _: &Admitted) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[cutout::breaker(consecutive = 1, listeners = [LOG, METRICS], call_listener = CALLS)]
    fn offer() -> Result<(), Broken> {
        Err(Broken::Service)
    }

    assert_eq!(offer(), Err(Broken::Service));
    assert_eq!(*NOTIFIED.lock().unwrap(), [State::Open, State::Closed]);
    assert_eq!(CALLS.0.load(Ordering::Relaxed), 1);
}

#[test]
fn a_classifier_says_what_a_result_means() {
    fn status(result: &Result<u16, Broken>) -> Outcome {
        result.as_ref().map_or(Outcome::Failure, |status| {
            cutout::classify::http_status(*status)
        })
    }

    #[cutout::breaker(consecutive = 1, classify = status)]
    fn get(answer: u16) -> Result<u16, Broken> {
        Ok(answer)
    }

    assert_eq!(get(404), Ok(404));
    assert_eq!(get_breaker().state(), State::Closed);
    assert_eq!(get(503), Ok(503));
    assert_eq!(get_breaker().state(), State::Open);
}

#[test]
fn a_panic_is_a_failure() {
    #[cutout::breaker(consecutive = 1)]
    fn offer() -> Result<(), Broken> {
        panic!("on purpose")
    }

    catch_unwind(AssertUnwindSafe(offer)).unwrap_err();
    assert_eq!(offer_breaker().state(), State::Open);
}

/// A function keeps its attributes, and its accessor has the same visibility.
mod billing {
    use super::Broken;

    /// Documented.
    #[must_use = "an offer"]
    #[cutout::breaker]
    #[expect(unused_variables, reason = "lints of the function reach its body")]
    pub(crate) fn offer() -> Result<u32, Broken> {
        let unused = 7;
        Ok(7)
    }

    #[cutout::breaker]
    #[cfg(any())]
    fn offer() -> Result<u32, Broken> {
        no_such_function()
    }
}

#[test]
fn a_function_keeps_its_attributes() {
    assert_eq!(billing::offer(), Ok(7));
    assert_eq!(billing::offer_breaker().snapshot().name, Some("offer"));
}

#[test]
fn fragments_of_a_macro_are_arguments_and_types_too() {
    macro_rules! billing {
        ($name:ident -> $returned:ty, $open_for:literal, $failures:expr, $fallback:path) => {
            #[cutout::breaker(consecutive = $failures, open_for = $open_for, fallback = $fallback)]
            fn $name() -> $returned {
                Err("broken")
            }
        };
    }
    fn cold(error: Error<&'static str>) -> Result<&'static str, &'static str> {
        error.into_inner().ok_or("rejected")
    }
    billing!(offer -> Result<&'static str, &'static str>, "15s", 1 + 1, cold);

    assert_eq!(offer(), Ok("broken"));
    assert_eq!(offer(), Ok("broken"));
    assert_eq!(offer(), Err("rejected"));
    assert_eq!(
        offer_breaker().policy().backoff,
        Backoff::constant(Duration::from_secs(15))
    );
}

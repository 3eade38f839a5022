//! Call sites of real users compile and behave as they read: each way to hold a breaker, to call
//! through it and to handle its errors.

use std::{
    error::Error as StdError,
    num::ParseIntError,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use cutout::{
    Breaker, Error, Outcome, Permit, Policy, Reason, Rejected, State, Transition, Trip, classify,
    clock::Manual,
};

use crate::support::SECOND;

/// Trips at one failure.
const TOUCHY: Policy = Policy::new()
    .trip(Trip::consecutive(1))
    .open_for(Duration::from_secs(15));

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the dependency is down")]
struct Down;

fn down() -> Result<u32, Down> {
    Err(Down)
}

#[expect(clippy::unnecessary_wraps, reason = "represents a call that can fail")]
fn up() -> Result<u32, Down> {
    Ok(7)
}

/// A breaker that has just tripped.
fn tripped() -> Breaker {
    let breaker = Breaker::builder().policy(TOUCHY).build();
    assert_eq!(breaker.call(down), Err(Error::Inner(Down)));
    breaker
}

#[test]
fn a_static_breaker_answers_from_its_fallback_while_it_is_open() {
    static CLOCK: Manual = Manual::new();
    static DEPENDENCY: Breaker = Breaker::builder()
        .trip(Trip::consecutive(2))
        .open_for(Duration::from_secs(15))
        .name("dependency")
        .clock(&CLOCK)
        .build();

    fn offer(hot: fn() -> Result<u32, Down>) -> String {
        DEPENDENCY.call(hot).map_or_else(
            |error| format!("cold: {error}"),
            |price| format!("hot: {price}"),
        )
    }

    assert_eq!(offer(up), "hot: 7");
    assert_eq!(offer(down), "cold: the dependency is down");
    assert_eq!(offer(down), "cold: the dependency is down");
    assert_eq!(
        offer(up),
        "cold: circuit \"dependency\" is open, retry after 15s"
    );
    CLOCK.advance(15 * SECOND);
    assert_eq!(offer(up), "hot: 7");
    assert_eq!(DEPENDENCY.state(), State::Closed);
}

#[test]
fn unwrap_or_else_is_the_fallback_and_gets_the_remaining_time() {
    let breaker = tripped();
    let wait = breaker
        .call(|| Ok::<_, Down>(Duration::ZERO))
        .unwrap_or_else(|error| error.retry_after().unwrap());
    assert!(wait <= 15 * SECOND + Duration::from_micros(250));
    assert_eq!(breaker.call(up).unwrap_or_default(), 0);
}

#[test]
fn a_breaker_is_a_field_that_methods_borrow() {
    #[derive(Debug, Default)]
    struct Client {
        breaker: Breaker,
        calls: u32,
    }

    impl Client {
        fn quote(&mut self) -> Result<u32, Error<Down>> {
            let Self { breaker, calls } = self;
            breaker.call(|| {
                *calls += 1;
                up()
            })
        }

        fn permit(&self) -> Result<Permit<'_>, Rejected> {
            self.breaker.try_acquire()
        }
    }

    let mut client = Client::default();
    assert_eq!(client.quote(), Ok(7));
    client.permit().unwrap().success();
    let shown = format!("{client:?}");
    assert!(shown.contains("calls: 1"), "{shown}");
    assert!(shown.contains("state: Closed"), "{shown}");
}

#[test]
fn threads_share_an_arc_and_carry_owned_permits() {
    let breaker = Arc::new(Breaker::builder().policy(TOUCHY).build());
    let permit = breaker.try_acquire_owned().unwrap();
    let elsewhere = Arc::clone(&breaker);
    thread::spawn(move || {
        permit.success();
        elsewhere.call(down).unwrap_err();
    })
    .join()
    .unwrap();
    assert_eq!(breaker.state(), State::Open);
    assert!(breaker.try_acquire_owned().is_err());
}

#[test]
fn scoped_threads_borrow_a_breaker_and_its_permits() {
    let breaker = Breaker::new();
    let permit = breaker.try_acquire().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| permit.success());
        scope.spawn(|| breaker.call(up).unwrap());
    });
    assert_eq!(breaker.snapshot().calls, Some(2));
}

#[tokio::test]
async fn spawned_tasks_share_an_arc_and_carry_owned_permits() {
    let breaker = Arc::new(Breaker::new());
    let permit = breaker.try_acquire_owned().unwrap();
    let by_hand = tokio::spawn(async move {
        tokio::task::yield_now().await;
        permit.observe(up())
    });
    let shared = Arc::clone(&breaker);
    let around = tokio::spawn(async move { shared.call_async(async { down() }).await });
    assert_eq!(by_hand.await.unwrap(), Ok(7));
    assert_eq!(around.await.unwrap(), Err(Error::Inner(Down)));
    assert_eq!(breaker.snapshot().calls, Some(2));
}

#[tokio::test]
async fn a_spawned_task_holds_a_permit_of_a_static_across_an_await() {
    static DEPENDENCY: Breaker = Breaker::new();
    let quote = tokio::spawn(async {
        let permit = DEPENDENCY.try_acquire()?;
        tokio::task::yield_now().await;
        permit.observe(up()).map_err(Error::Inner)
    });
    assert_eq!(quote.await.unwrap(), Ok(7));
}

#[test]
fn a_custom_error_converts_from_a_rejection() {
    #[derive(Debug, thiserror::Error)]
    enum QuoteError {
        #[error("no dependency: {0}")]
        Unavailable(#[from] Rejected),
        #[error(transparent)]
        Dependency(#[from] Down),
        #[error("not a price")]
        Price(#[from] ParseIntError),
    }

    fn by_hand(breaker: &Breaker, price: &str) -> Result<u32, QuoteError> {
        let permit = breaker.try_acquire()?;
        Ok(permit.observe(price.parse())?)
    }

    fn around(breaker: &Breaker) -> Result<u32, QuoteError> {
        breaker
            .call(|| Ok::<_, QuoteError>(down()?))
            .map_err(Error::flatten)
    }

    let breaker = Breaker::builder()
        .policy(TOUCHY.trip(Trip::consecutive(2)))
        .build();
    assert_eq!(by_hand(&breaker, "7").unwrap(), 7);
    assert!(matches!(by_hand(&breaker, "?"), Err(QuoteError::Price(_))));
    assert!(matches!(
        around(&breaker),
        Err(QuoteError::Dependency(Down))
    ));
    let rejected = by_hand(&breaker, "7").unwrap_err();
    assert!(
        rejected
            .to_string()
            .starts_with("no dependency: circuit is")
    );
    assert!(matches!(around(&breaker), Err(QuoteError::Unavailable(_))));
}

#[test]
fn anyhow_takes_a_rejection_by_the_question_mark_and_downcasts_to_it() {
    fn quote(breaker: &Breaker) -> anyhow::Result<u32> {
        let permit = breaker.try_acquire()?;
        permit.observe(up()).map_err(Into::into)
    }

    let error = quote(&tripped()).unwrap_err();
    let rejected: Rejected = error.downcast().unwrap();
    assert_eq!(rejected.reason(), Reason::Open);
}

#[test]
fn anyhow_takes_the_error_of_a_call_by_the_question_mark() {
    fn quote(breaker: &Breaker) -> anyhow::Result<u32> {
        Ok(breaker.call(down)?)
    }

    let breaker = Breaker::builder().policy(TOUCHY).build();
    let inner = quote(&breaker).unwrap_err();
    assert_eq!(inner.to_string(), "the dependency is down");
    assert_eq!(inner.downcast_ref(), Some(&Error::Inner(Down)));
    let rejected = quote(&breaker).unwrap_err();
    let error: &Error<Down> = rejected.downcast_ref().unwrap();
    assert!(error.retry_after().is_some());
}

#[test]
fn anyhow_is_an_error_that_a_call_may_fail_with() {
    fn quote(breaker: &Breaker) -> anyhow::Result<u32> {
        breaker.call(|| anyhow::Ok(down()?)).map_err(Error::flatten)
    }

    let breaker = Breaker::builder().policy(TOUCHY).build();
    assert_eq!(quote(&breaker).unwrap_err().downcast_ref(), Some(&Down));
    let error = quote(&breaker).unwrap_err();
    let rejected: &Rejected = error.downcast_ref().unwrap();
    assert_eq!(rejected.reason(), Reason::Open);
}

#[test]
fn any_error_of_a_call_can_be_distinguished_behind_anyhow() {
    fn quote(breaker: &Breaker) -> anyhow::Result<u32> {
        let price = breaker.call(down);
        price.map_err(|error| error.map_inner(anyhow::Error::from).flatten())
    }

    let breaker = Breaker::builder().policy(TOUCHY).build();
    assert!(quote(&breaker).unwrap_err().is::<Down>());
    assert!(quote(&breaker).unwrap_err().is::<Rejected>());
}

#[test]
fn a_boxed_error_takes_both_errors_by_the_question_mark() {
    type Boxed = Box<dyn StdError + Send + Sync>;

    fn around(breaker: &Breaker) -> Result<u32, Boxed> {
        Ok(breaker.call(down)?)
    }

    fn by_hand(breaker: &Breaker) -> Result<u32, Boxed> {
        let permit = breaker.try_acquire()?;
        Ok(permit.observe(down())?)
    }

    fn boxed_inside(breaker: &Breaker) -> Result<u32, Boxed> {
        breaker
            .call(|| Ok::<_, Boxed>(down()?))
            .map_err(Error::flatten)
    }

    let breaker = Breaker::builder()
        .policy(TOUCHY.trip(Trip::consecutive(3)))
        .build();
    assert!(around(&breaker).unwrap_err().is::<Error<Down>>());
    assert!(by_hand(&breaker).unwrap_err().is::<Down>());
    assert!(boxed_inside(&breaker).unwrap_err().is::<Down>());
    assert!(around(&breaker).unwrap_err().is::<Error<Down>>());
    assert!(by_hand(&breaker).unwrap_err().is::<Rejected>());
    assert!(boxed_inside(&breaker).unwrap_err().is::<Rejected>());
}

#[test]
fn an_error_repeats_no_text_in_the_chain_of_its_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("no quote")]
    struct NoQuote(#[source] Down);

    let error = Breaker::new()
        .call(|| Err::<(), _>(NoQuote(Down)))
        .unwrap_err();
    assert_eq!(error.to_string(), "no quote");
    assert_eq!(
        error.source().unwrap().to_string(),
        "the dependency is down"
    );
    let rejected = tripped().call(down).unwrap_err();
    let link = rejected.source().unwrap();
    assert_eq!(link.to_string(), "a circuit breaker rejected the call");
    assert!(link.source().is_none());
}

#[test]
fn a_closure_classifies_the_answers_of_a_client() {
    struct StatusReply {
        status: u16,
        retry_after: Option<Duration>,
    }

    fn outcome<E>(result: &Result<StatusReply, E>) -> Outcome {
        match result {
            Ok(response) => match (classify::http_status(response.status), response.retry_after) {
                (Outcome::Failure, Some(wait)) => Outcome::FailureFor(wait),
                (outcome, _) => outcome,
            },
            Err(_) => Outcome::Failure,
        }
    }

    let breaker = Breaker::builder()
        .policy(TOUCHY)
        .build()
        .with_shared_clock(Arc::new(Manual::new()));
    let ignored = AtomicU32::new(404);
    let answer = breaker.call_with(
        || {
            Ok::<_, Down>(StatusReply {
                status: 404,
                retry_after: None,
            })
        },
        |result| match result {
            Ok(response) if u32::from(response.status) == ignored.load(Ordering::Relaxed) => {
                Outcome::Ignored
            }
            result => outcome(result),
        },
    );
    assert_eq!(answer.unwrap().status, 404);
    assert_eq!(breaker.snapshot().failures, Some(0));

    let busy = || {
        Ok::<_, Down>(StatusReply {
            status: 503,
            retry_after: Some(60 * SECOND),
        })
    };
    assert_eq!(breaker.call_with(busy, outcome).unwrap().status, 503);
    let rejected = breaker.try_acquire().unwrap_err();
    assert_eq!(rejected.retry_after_secs(), Some(60));
}

#[test]
fn code_that_is_generic_over_the_error_wraps_a_breaker() {
    fn twice<T, E>(
        breaker: &Breaker,
        mut call: impl FnMut() -> Result<T, E>,
    ) -> Result<T, Error<E>> {
        breaker.call(&mut call).or_else(|_| breaker.call(&mut call))
    }

    fn flat<T, E: From<Rejected>>(
        breaker: &Breaker,
        call: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        breaker.call(call).map_err(Error::flatten)
    }

    let mut answers = [up(), down()].into_iter().rev();
    assert_eq!(
        twice(&Breaker::new(), || answers.next().unwrap()).unwrap(),
        7
    );
    assert!(twice(&tripped(), || "7".parse::<u32>()).is_err());
    assert!(flat(&tripped(), || Ok::<_, anyhow::Error>(7)).is_err());
}

#[tokio::test]
async fn code_that_is_generic_over_the_future_wraps_a_breaker() {
    async fn guarded<T, E>(
        breaker: &Breaker,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Error<E>> {
        breaker
            .call_async_with(future, |result| match result {
                Ok(_) => Outcome::Success,
                Err(_) => Outcome::Failure,
            })
            .await
    }

    assert_eq!(guarded(&Breaker::new(), async { up() }).await, Ok(7));
    let error = guarded(&tripped(), async { up() }).await.unwrap_err();
    assert!(error.rejected().is_some());
}

#[test]
fn a_balancer_peeks_at_its_dependencies_and_takes_no_slot() {
    let clock = Arc::new(Manual::new());
    let dependencies: Vec<Breaker> = (0..3)
        .map(|_| {
            Breaker::builder()
                .policy(TOUCHY)
                .build()
                .with_shared_clock(clock.clone())
        })
        .collect();
    let pick = || {
        dependencies
            .iter()
            .position(|dependency| dependency.peek().is_ok())
    };

    assert_eq!(pick(), Some(0));
    dependencies[0].call(down).unwrap_err();
    assert_eq!(pick(), Some(1));
    dependencies[1].force_open();
    dependencies[2].call(down).unwrap_err();
    assert_eq!(pick(), None);

    clock.advance(15 * SECOND);
    assert_eq!(pick(), Some(0), "past its deadline a call must probe it");
    let probe = dependencies[0].try_acquire().unwrap();
    assert!(probe.is_probe());
    assert_eq!(pick(), Some(2), "the probe of the first is in flight");
    probe.success();
    assert_eq!(pick(), Some(0));
}

#[test]
fn an_array_of_breakers_is_a_static() {
    static SHARDS: [Breaker; 4] = [const { Breaker::new() }; 4];
    SHARDS[2].force_open();
    let forced: Vec<bool> = SHARDS.iter().map(|shard| shard.peek().is_err()).collect();
    assert_eq!(forced, [false, false, true, false]);
}

#[test]
fn statics_share_a_const_policy_and_override_fields() {
    const DEPENDENCIES: Policy = Policy::new().trip(Trip::consecutive(3)).probes(2);
    static BILLING: Breaker = Breaker::builder()
        .policy(DEPENDENCIES)
        .name("billing")
        .build();
    static SEARCH: Breaker = Breaker::builder()
        .policy(DEPENDENCIES)
        .open_for(Duration::from_secs(1))
        .build();
    assert_eq!(BILLING.policy(), DEPENDENCIES);
    assert_eq!(SEARCH.policy(), DEPENDENCIES.open_for(SECOND));
}

#[test]
fn a_policy_that_is_known_at_run_time_is_refused_with_an_error() {
    fn dependency(probes: u32) -> anyhow::Result<Breaker> {
        Ok(Breaker::builder().probes(probes).try_build()?)
    }

    assert!(dependency(2).is_ok());
    let error = dependency(64).unwrap_err();
    assert_eq!(error.to_string(), "probes must be 1 to 63, got 64");
}

#[test]
fn closures_listen_statically_and_shared() {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    static DEPENDENCY: Breaker = Breaker::builder()
        .listeners(&[&|_: &Transition| {
            COUNT.fetch_add(1, Ordering::Relaxed);
        }])
        .build();
    DEPENDENCY.disable();
    assert_eq!(COUNT.load(Ordering::Relaxed), 1);

    let log = Arc::new(Mutex::new(Vec::new()));
    let breaker = Breaker::new().with_shared_listener(Arc::new({
        let log = Arc::clone(&log);
        move |transition: &Transition| log.lock().unwrap().push(transition.to)
    }));
    breaker.force_open();
    breaker.reset();
    assert_eq!(*log.lock().unwrap(), [State::ForcedOpen, State::Closed]);
}

#[test]
fn a_test_sets_the_clock_and_reads_the_snapshot() {
    let clock = Arc::new(Manual::new());
    let breaker = Breaker::builder()
        .policy(TOUCHY)
        .build()
        .with_shared_clock(clock.clone());
    breaker.call(down).unwrap_err();
    clock.advance(5 * SECOND);
    let snapshot = breaker.snapshot();
    assert_eq!(snapshot.state, State::Open);
    assert_eq!(snapshot.retry_after, Some(10 * SECOND));
    assert_eq!((snapshot.failures, snapshot.calls), (Some(1), Some(1)));
    clock.advance(10 * SECOND);
    let snapshot = breaker.snapshot();
    assert_eq!(snapshot.state, State::HalfOpen);
    assert_eq!(snapshot.stored_state, State::Open);
}

#[test]
fn a_snapshot_shows_the_time_since_the_last_transition() {
    let clock = Arc::new(Manual::new());
    let breaker = Breaker::new().with_shared_clock(clock.clone());
    assert_eq!(breaker.snapshot().since, None, "there was none");
    breaker.force_open();
    clock.advance(5 * SECOND);
    assert_eq!(breaker.snapshot().since, Some(5 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_inside_the_call_is_an_error_that_counts() {
    let breaker = Breaker::builder().policy(TOUCHY).build();
    let hung = std::future::pending::<u32>();
    let quote = breaker.call_async(tokio::time::timeout(SECOND, hung)).await;
    assert!(quote.unwrap_err().into_inner().is_some());
    assert_eq!(breaker.state(), State::Open);
}

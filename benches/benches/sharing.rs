//! Cost of a call by storage of the breaker, by its listeners, and by sharing among threads.

use std::{hint::black_box, sync::Arc, time::Duration};

use benches::{contender::Contender, dependency::dependency, passes::measure, subjects::Bare};
use cutout::{Admitted, Breaker, CallListener, Ended, Listener, OnDrop, Rejected, Transition};

static STATIC: Breaker = Breaker::new();

fn call(breaker: &Breaker, call: u64) -> bool {
    black_box(breaker.call(|| dependency::<0, 1>(call))).is_ok()
}

fn held() -> Vec<Contender> {
    let borrowed: &'static Breaker = Box::leak(Box::new(Breaker::new()));
    let arc = Arc::new(Breaker::new());
    let cloned = Arc::clone(&arc);
    let owned = Arc::new(Breaker::new());
    vec![
        bare(),
        Contender::calling("static", |n| call(&STATIC, n)),
        Contender::calling("borrowed", move |n| call(borrowed, n)),
        Contender::calling("Arc", move |n| call(&arc, n)),
        Contender::calling("Arc cloned for the call", move |n| {
            call(&Arc::clone(black_box(&cloned)), n)
        }),
        Contender::calling("permit of a static", |n| {
            let permit = STATIC.try_acquire();
            permit.is_ok_and(|permit| black_box(permit.observe(dependency::<0, 1>(n))).is_ok())
        }),
        Contender::calling("permit that owns an Arc", move |n| {
            let permit = owned.try_acquire_owned();
            permit.is_ok_and(|permit| black_box(permit.observe(dependency::<0, 1>(n))).is_ok())
        }),
    ]
}

/// A listener without work, opaque to the compiler.
struct IgnoringListener;

impl CallListener for IgnoringListener {
    fn on_admitted(&self, call: &Admitted) {
        black_box(call);
    }

    fn on_outcome(&self, ended: &Ended) {
        black_box(ended);
    }

    fn on_rejected(&self, rejected: &Rejected) {
        black_box(rejected);
    }
}

impl Listener for IgnoringListener {
    fn on_transition(&self, transition: &Transition) {
        black_box(transition);
    }

    fn on_rejected(&self, rejected: &Rejected) {
        black_box(rejected);
    }

    fn on_failure(&self, ended: &Ended) {
        black_box(ended);
    }

    fn on_stale(&self, ended: &Ended) {
        black_box(ended);
    }
}

fn listeners() -> Vec<Contender> {
    let ours = |name, builder: cutout::Builder| {
        let breaker = builder.build();
        Contender::calling(name, move |n| call(&breaker, n))
    };
    let second = Duration::from_secs(1);
    vec![
        bare(),
        ours("none", Breaker::builder()),
        ours(
            "a listener",
            Breaker::builder().listeners(&[&IgnoringListener]),
        ),
        ours(
            "a call listener",
            Breaker::builder().call_listener(&IgnoringListener),
        ),
        ours("calls counted", Breaker::builder().count_calls()),
        ours("none, slow_call", Breaker::builder().slow_call(second)),
        ours(
            "none, FailureAfter",
            Breaker::builder().on_drop(OnDrop::FailureAfter(second)),
        ),
    ]
}

thread_local! {
    static OWN: Breaker = const { Breaker::new() };
    static OWN_OPEN: Breaker = open();
}

fn open() -> Breaker {
    let breaker = Breaker::new();
    breaker.force_open_for(Duration::from_hours(1));
    breaker
}

/// Threads that share a breaker, compared with threads that have one each. The latter are faster if
/// sharing makes threads wait for each other.
fn shared() -> Vec<Contender> {
    let one = open();
    let listened = Breaker::builder().listeners(&[&IgnoringListener]).build();
    listened.force_open_for(Duration::from_hours(1));
    vec![
        bare(),
        Contender::calling("healthy, one for all", |n| call(&STATIC, n)),
        Contender::calling("healthy, one each", |n| OWN.with(|own| call(own, n))),
        Contender::calling("rejected, one for all", move |n| !call(&one, n)),
        Contender::calling("rejected, one for all, a listener", move |n| {
            !call(&listened, n)
        }),
        Contender::calling("rejected, one each", |n| OWN_OPEN.with(|own| !call(own, n))),
    ]
}

fn bare() -> Contender {
    Contender::calling("bare call", |n| {
        benches::subjects::Calls::call(&Bare, move || dependency::<0, 1>(n))
    })
}

fn main() {
    cutout::clock::warm_up();
    measure("held as", &[1, 2], held);
    measure("listeners", &[1, 2], listeners);
    measure("shared or not", &[1, 2], shared);
}

//! The ways out of a call.

use std::{
    future::pending,
    mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
    thread,
};

use cutout::Breaker;

use super::LIMIT;

/// Meaning of an exit for the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A failure: the call panicked.
    Failure,
    /// A drop, whose outcome `on_drop` decides.
    Dropped,
    /// Nothing: no call was admitted.
    NeverAdmitted,
    /// A leaked permit: only the lease releases its slot.
    Forgotten,
}

/// A way out of a call. It runs its second argument while the permit of the call is held.
pub(crate) type Exit = fn(&Arc<Breaker>, &dyn Fn());

pub(crate) const EXITS: [(&str, Meaning, Exit); 24] = {
    use Meaning::{Dropped, Failure, Forgotten, NeverAdmitted};
    [
        ("early return", Dropped, early_return),
        ("question mark", Dropped, question_mark),
        ("owned permit dropped elsewhere", Dropped, dropped_elsewhere),
        ("panic with a permit", Failure, panic_with_a_permit),
        ("panic with an owned permit", Failure, panic_with_an_owned),
        ("panic in observe_with", Failure, panic_in_observe_with),
        (
            "panic in observe_with, unwinding",
            Failure,
            panic_in_observe_with_unwinding,
        ),
        ("panic in call", Failure, panic_in_call),
        ("panic in call_with", Failure, panic_in_call_with),
        ("call while unwinding", Failure, panic_in_call_unwinding),
        ("permit while unwinding", Dropped, drop_while_unwinding),
        ("permit forgotten", Forgotten, forgotten_permit),
        ("future forgotten", Forgotten, forgotten_future),
        ("future not polled", NeverAdmitted, not_polled),
        ("future polled once", Dropped, polled_once),
        ("permit in a future", Dropped, permit_in_a_future),
        ("lost select", Dropped, lost_select),
        ("outer timeout", Dropped, outer_timeout),
        ("task aborted", Dropped, aborted_task),
        ("runtime shut down", Dropped, runtime_shut_down),
        ("panic in first poll", Failure, panic_in_first_poll),
        ("panic in later poll", Failure, panic_in_later_poll),
        (
            "panic in call_async_with",
            Failure,
            panic_in_async_classifier,
        ),
        ("future dropped unwinding", Failure, future_while_unwinding),
    ]
};

fn early_return(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    let permit = breaker.try_acquire().unwrap();
    held();
    if permit.generation() < u16::MAX {
        return;
    }
    permit.success();
}

fn question_mark(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    let quote = || {
        let permit = breaker.try_acquire()?;
        held();
        let price: u32 = "many".parse()?;
        permit.success();
        anyhow::Ok(price)
    };
    quote().unwrap_err();
}

fn dropped_elsewhere(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    let permit = breaker.try_acquire_owned().unwrap();
    held();
    thread::spawn(move || drop(permit)).join().unwrap();
}

fn panic_with_a_permit(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    caught(|| {
        let _permit = breaker.try_acquire().unwrap();
        held();
        throw::<()>();
    });
}

fn panic_with_an_owned(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    caught(|| {
        let _permit = breaker.try_acquire_owned().unwrap();
        held();
        throw::<()>();
    });
}

fn panic_in_observe_with(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    caught(|| {
        let permit = breaker.try_acquire().unwrap();
        held();
        let _ = permit.observe_with(Ok::<(), ()>(()), |_| throw());
    });
}

fn panic_in_observe_with_unwinding(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    while_unwinding(|| panic_in_observe_with(breaker, held));
}

fn panic_in_call(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    caught(|| {
        let _ = breaker.call(|| -> Result<(), ()> {
            held();
            throw()
        });
    });
}

fn panic_in_call_with(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    caught(|| {
        let call = || {
            held();
            Ok::<(), ()>(())
        };
        let _ = breaker.call_with(call, |_| throw());
    });
}

fn panic_in_call_unwinding(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    while_unwinding(|| panic_in_call(breaker, held));
}

fn drop_while_unwinding(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    while_unwinding(|| early_return(breaker, held));
}

fn forgotten_permit(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    mem::forget(breaker.try_acquire().unwrap());
    held();
}

fn forgotten_future(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    let mut call = Box::pin(breaker.call_async(pending::<Result<(), ()>>()));
    poll(call.as_mut());
    held();
    mem::forget(call);
}

fn not_polled(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    let call = breaker.call_async(pending::<Result<(), ()>>());
    held();
    drop(call);
}

fn polled_once(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    let mut call = Box::pin(breaker.call_async(pending::<Result<(), ()>>()));
    poll(call.as_mut());
    held();
}

fn permit_in_a_future(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    let mut quote = Box::pin(async {
        let permit = breaker.try_acquire().unwrap();
        permit.observe(pending::<Result<(), ()>>().await)
    });
    poll(quote.as_mut());
    held();
}

fn lost_select(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    on_tokio(async {
        tokio::select! {
            biased;
            _ = breaker.call_async(pending::<Result<(), ()>>()) => {}
            () = async { held() } => {}
        }
    });
}

fn outer_timeout(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    on_tokio(async {
        let call = breaker.call_async(async {
            held();
            pending::<Result<(), ()>>().await
        });
        tokio::time::timeout(LIMIT, call).await.unwrap_err();
    });
}

fn aborted_task(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    on_tokio(async {
        let breaker = Arc::clone(breaker);
        let task = tokio::spawn(async move {
            let _ = breaker.call_async(pending::<Result<(), ()>>()).await;
        });
        tokio::task::yield_now().await;
        held();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    });
}

fn runtime_shut_down(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    on_tokio(async {
        let permit = breaker.try_acquire_owned().unwrap();
        tokio::spawn(async move { permit.observe(pending::<Result<(), ()>>().await) });
        tokio::task::yield_now().await;
        held();
    });
}

fn panic_in_first_poll(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    caught(|| {
        let mut call = pin!(breaker.call_async(async {
            held();
            throw::<Result<(), ()>>()
        }));
        poll(call.as_mut());
    });
}

fn panic_in_later_poll(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    caught(|| {
        let mut call = pin!(breaker.call_async(async {
            smol::future::yield_now().await;
            throw::<Result<(), ()>>()
        }));
        poll(call.as_mut());
        held();
        poll(call.as_mut());
    });
}

fn panic_in_async_classifier(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    caught(|| {
        let answer = async {
            held();
            Ok::<(), ()>(())
        };
        let mut call = pin!(breaker.call_async_with(answer, |_| throw()));
        poll(call.as_mut());
    });
}

/// The thread unwinds for a reason that is not the call's, so nothing polls the future.
fn future_while_unwinding(breaker: &Arc<Breaker>, held: &dyn Fn()) {
    caught(|| {
        let mut call = pin!(breaker.call_async(pending::<Result<(), ()>>()));
        poll(call.as_mut());
        held();
        throw::<()>();
    });
}

/// Panics without a message on stderr.
fn throw<T>() -> T {
    resume_unwind(Box::new("thrown"))
}

fn caught(f: impl FnOnce()) {
    catch_unwind(AssertUnwindSafe(f)).unwrap_err();
}

/// Runs `f` in a destructor while the thread unwinds.
fn while_unwinding(f: impl FnOnce()) {
    struct Cleanup<F: FnOnce()>(Option<F>);

    impl<F: FnOnce()> Drop for Cleanup<F> {
        fn drop(&mut self) {
            assert!(thread::panicking());
            self.0.take().unwrap()();
        }
    }

    caught(|| {
        let _cleanup = Cleanup(Some(f));
        throw::<()>();
    });
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) {
    let _ = future.poll(&mut Context::from_waker(Waker::noop()));
}

fn on_tokio(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future);
}

//! A scripted service that counts its calls and requires that it is polled ready.

use std::{
    error, fmt,
    future::{Ready, ready},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll},
};

use tower::Service;

/// Requests, and how the dependency handles each.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ask {
    /// Respond.
    Well,
    /// Fail.
    Fail,
    /// Never respond.
    Hang,
    /// Panic in `call`.
    PanicInCall,
    /// Panic when the response is polled.
    PanicInPoll,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the dependency is broken")
    }
}

impl error::Error for Broken {}

#[derive(Default)]
pub(crate) struct Dependency {
    shared: Arc<DependencyState>,
    /// Readiness belongs to each clone, as in services that reserve capacity.
    ready: bool,
}

struct DependencyState {
    ready_polls: AtomicU32,
    calls: AtomicU32,
    readiness: Mutex<Poll<Result<(), Broken>>>,
}

impl Default for DependencyState {
    fn default() -> Self {
        Self {
            ready_polls: AtomicU32::new(0),
            calls: AtomicU32::new(0),
            readiness: Mutex::new(Poll::Ready(Ok(()))),
        }
    }
}

impl Dependency {
    /// Sets what all clones return from `poll_ready`.
    pub(crate) fn set_readiness(&self, readiness: Poll<Result<(), Broken>>) {
        *self.shared.readiness.lock().unwrap() = readiness;
    }

    pub(crate) fn ready_polls(&self) -> u32 {
        self.shared.ready_polls.load(Ordering::SeqCst)
    }

    pub(crate) fn calls(&self) -> u32 {
        self.shared.calls.load(Ordering::SeqCst)
    }
}

impl Clone for Dependency {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            ready: false,
        }
    }
}

impl Service<Ask> for Dependency {
    type Response = u32;
    type Error = Broken;
    type Future = DependencyFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.shared.ready_polls.fetch_add(1, Ordering::SeqCst);
        let readiness = self.shared.readiness.lock().unwrap().clone();
        self.ready = matches!(readiness, Poll::Ready(Ok(())));
        readiness
    }

    fn call(&mut self, ask: Ask) -> DependencyFuture {
        assert!(self.ready, "called without being ready");
        self.ready = false;
        self.shared.calls.fetch_add(1, Ordering::SeqCst);
        match ask {
            Ask::Well => DependencyFuture::Given(ready(Ok(7))),
            Ask::Fail => DependencyFuture::Given(ready(Err(Broken))),
            Ask::Hang => DependencyFuture::Never,
            Ask::PanicInCall => panic!("on purpose"),
            Ask::PanicInPoll => DependencyFuture::Panic,
        }
    }
}

pub(crate) enum DependencyFuture {
    Given(Ready<Result<u32, Broken>>),
    Never,
    Panic,
}

impl Future for DependencyFuture {
    type Output = Result<u32, Broken>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Given(answer) => Pin::new(answer).poll(context),
            Self::Never => Poll::Pending,
            Self::Panic => panic!("on purpose"),
        }
    }
}

//! A permit that is held to the end of a response's body.

use core::{
    fmt,
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use http_body::{Body, Frame, SizeHint};

use crate::{
    Breaker, Outcome,
    classify::{grpc_code, grpc_status},
};

use super::{Classify, ends::Ends, held::Held, sealed::Sealed};

/// A call ends with the body of its response: from
/// [`BreakerLayer::hold_body`](super::BreakerLayer::hold_body).
#[derive(Clone, Copy, Debug, Default)]
pub struct AtEndOfBody<C>(pub(super) C);

impl<C> Sealed for AtEndOfBody<C> {}

impl<B, Error, H, C> Ends<Response<B>, Error, H> for AtEndOfBody<C>
where
    B: Body,
    H: Deref<Target = Breaker>,
    C: Classify<Response<B>, Error>,
{
    type Classify = C;
    type Response = Response<HeldBody<B, H>>;

    fn classify(&self) -> &C {
        &self.0
    }

    fn end(
        &self,
        mut held: Held<H>,
        result: Result<Response<B>, Error>,
    ) -> Result<Self::Response, Error> {
        let outcome = held.around(|| self.0.classify(&result));
        // Only a success has yet to be shown. A probe that waited for its body would keep everybody out for
        // as long as that lasts.
        let held = if outcome == Outcome::Success && result.is_ok() && !held.is_probe() {
            Some(held)
        } else {
            held.end(outcome);
            None
        };
        result.map(|response| response.map(|body| HeldBody::new(body, held)))
    }

    fn pass(&self, response: Response<B>) -> Self::Response {
        response.map(|body| HeldBody::new(body, None))
    }
}

pin_project_lite::pin_project! {
    /// The body of a response whose call lasts as long as it does: from
    /// [`BreakerLayer::hold_body`](super::BreakerLayer::hold_body).
    ///
    /// At its end the call has succeeded, at an error of it failed, and when it is dropped before either it
    /// is a dropped call. A `grpc-status` in the trailers is the call's outcome, as
    /// [`classify::grpc_code`](crate::classify::grpc_code) says. Everything else is that of the body within.
    pub struct HeldBody<B, H>
    where
        H: Deref<Target = Breaker>,
    {
        #[pin]
        body: B,
        // `None` once the call has ended.
        held: Option<Held<H>>,
    }
}

impl<B, H> HeldBody<B, H>
where
    B: Body,
    H: Deref<Target = Breaker>,
{
    fn new(body: B, held: Option<Held<H>>) -> Self {
        let mut this = Self { body, held };
        end_if_over(&this.body, &mut this.held);
        this
    }
}

/// Ends the call if nothing is left of its body: then nobody need poll that any more.
fn end_if_over<B: Body, H: Deref<Target = Breaker>>(body: &B, held: &mut Option<Held<H>>) {
    if let Some(holding) = held
        && holding.around(|| body.is_end_stream() || body.size_hint().exact() == Some(0))
    {
        end(held, Outcome::Success);
    }
}

fn end<H: Deref<Target = Breaker>>(held: &mut Option<Held<H>>, outcome: Outcome) {
    if let Some(held) = held.take() {
        held.end(outcome);
    }
}

impl<B, H> Body for HeldBody<B, H>
where
    B: Body,
    H: Deref<Target = Breaker>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let body = this.body.as_mut();
        let frame = ready!(match this.held {
            Some(held) => held.around(|| body.poll_frame(context)),
            None => body.poll_frame(context),
        });
        match &frame {
            Some(Ok(frame)) => match frame.trailers_ref().and_then(grpc_status) {
                Some(code) => end(this.held, grpc_code(code)),
                None => end_if_over(&*this.body, this.held),
            },
            Some(Err(_)) => end(this.held, Outcome::Failure),
            None => end(this.held, Outcome::Success),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B, H: Deref<Target = Breaker>> fmt::Debug for HeldBody<B, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldBody")
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}

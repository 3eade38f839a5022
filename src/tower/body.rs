//! A permit that is held to the end of a response's body.

use core::{
    fmt,
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http::{HeaderMap, Response, header::CONTENT_LENGTH};
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
        result.map(|response| hold(response, held))
    }

    fn pass(&self, response: Response<B>) -> Self::Response {
        hold(response, None)
    }
}

/// Makes a permit last as long as the body of a response.
fn hold<B: Body, H: Deref<Target = Breaker>>(
    response: Response<B>,
    held: Option<Held<H>>,
) -> Response<HeldBody<B, H>> {
    let left = content_length(response.headers());
    let mut response = response.map(|body| HeldBody {
        body,
        held,
        left,
        polled: false,
    });
    let HeldBody { body, held, .. } = response.body_mut();
    end_if_over(&*body, held, left);
    response
}

pin_project_lite::pin_project! {
    /// The body of a response whose call lasts as long as it does: from
    /// [`BreakerLayer::hold_body`](super::BreakerLayer::hold_body).
    ///
    /// At its end the call has succeeded, at an error of it failed, and when it is dropped in between it is
    /// a dropped call. A `grpc-status` in the trailers is the call's outcome, as
    /// [`classify::grpc_code`](crate::classify::grpc_code) says. Of a body that is dropped before it was
    /// polled nothing was asked, and the head has the last word. Everything else is that of the body within.
    pub struct HeldBody<B, H>
    where
        H: Deref<Target = Breaker>,
    {
        #[pin]
        body: B,
        // `None` once the call has ended.
        held: Option<Held<H>>,
        // The bytes to come, if the head said how many there are.
        left: Option<u64>,
        polled: bool,
    }

    impl<B, H> PinnedDrop for HeldBody<B, H>
    where
        H: Deref<Target = Breaker>,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if !*this.polled {
                end(this.held, Outcome::Success);
            }
        }
    }
}

/// Ends the call if nothing is left of its body: nobody need poll that any more, and a server that has sent
/// as much as the head said does not.
fn end_if_over<B: Body, H: Deref<Target = Breaker>>(
    body: &B,
    held: &mut Option<Held<H>>,
    left: Option<u64>,
) {
    if let Some(holding) = held
        && (left == Some(0) || holding.around(|| is_over(body)))
    {
        end(held, Outcome::Success);
    }
}

fn is_over(body: &impl Body) -> bool {
    body.is_end_stream() || body.size_hint().exact() == Some(0)
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
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
        *this.polled = true;
        let body = this.body.as_mut();
        let Some(holding) = this.held else {
            return body.poll_frame(context);
        };
        let frame = ready!(holding.inside(|| body.poll_frame(context)));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(code) = frame.trailers_ref().and_then(grpc_status) {
                    end(this.held, grpc_code(code));
                }
                if let (Some(left), Some(data)) = (this.left.as_mut(), frame.data_ref()) {
                    *left = left.saturating_sub(data.remaining() as u64);
                }
                end_if_over(&*this.body, this.held, *this.left);
            }
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

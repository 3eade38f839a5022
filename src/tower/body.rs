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
    permit::RawPermit,
};

use super::{Classify, ends::Ends, sealed::Sealed};

/// A call ends with the body of its response: from
/// [`BreakerLayer::hold_body`](super::BreakerLayer::hold_body).
#[derive(Clone, Copy, Debug, Default)]
pub struct AtEndOfBody<C> {
    pub(super) classify: C,
    pub(super) on_drop: OnBodyDrop,
}

/// What it means that a body is dropped after a good head and before its end.
///
/// A body that was not polled yet, or of which as much came as its head or its size hint said, is a success
/// under either rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnBodyDrop {
    /// A success, as the head said: a client ends an event stream by leaving it. A failure where the
    /// policy's [`on_drop`](crate::Policy::on_drop) makes one of this drop.
    #[default]
    Head,
    /// A dropped call: what the policy's [`on_drop`](crate::Policy::on_drop) says, also if it ignores that.
    Policy,
}

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
        &self.classify
    }

    fn end(
        &self,
        mut permit: RawPermit<H>,
        result: Result<Response<B>, Error>,
    ) -> Result<Self::Response, Error> {
        let outcome = permit.guard(|| self.classify.classify(&result));
        // Only a success has yet to be shown. A probe that waited for its body would keep everybody out for
        // as long as that lasts.
        let permit = if outcome == Outcome::Success && result.is_ok() && !permit.is_probe() {
            Some(permit)
        } else {
            permit.end(outcome);
            None
        };
        result.map(|response| hold(response, permit, self.on_drop))
    }

    fn pass(&self, response: Response<B>) -> Self::Response {
        hold(response, None, self.on_drop)
    }
}

/// Makes a permit last as long as the body of a response.
fn hold<B: Body, H: Deref<Target = Breaker>>(
    response: Response<B>,
    permit: Option<RawPermit<H>>,
    on_drop: OnBodyDrop,
) -> Response<HeldBody<B, H>> {
    let left = content_length(response.headers());
    let mut response = response.map(|body| HeldBody {
        body,
        permit,
        on_drop,
        left,
        complete: true,
    });
    let HeldBody { body, permit, .. } = response.body_mut();
    end_if_over(&*body, permit);
    response
}

pin_project_lite::pin_project! {
    /// The body of a response whose call lasts as long as it does: from
    /// [`BreakerLayer::hold_body`](super::BreakerLayer::hold_body).
    ///
    /// At its end the call has succeeded, at an error of it failed. A `grpc-status` in the trailers is the
    /// call's outcome, as [`classify::grpc_code`](crate::classify::grpc_code) says. When it is dropped before
    /// its end, [`OnBodyDrop`] says what that means, and a panic that drops it is a failure. Everything else
    /// is that of the inner body.
    pub struct HeldBody<B, H>
    where
        H: Deref<Target = Breaker>,
    {
        #[pin]
        body: B,
        // `None` once the call has ended.
        permit: Option<RawPermit<H>>,
        on_drop: OnBodyDrop,
        // The bytes to come, if the head said how many there are.
        left: Option<u64>,
        // Whether a drop now leaves out nothing that was asked for: the body was not polled yet, or all data
        // has come. Trailers may follow still, so that the call goes on.
        complete: bool,
    }

    impl<B, H> PinnedDrop for HeldBody<B, H>
    where
        H: Deref<Target = Breaker>,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(permit) = this.permit.take() {
                match this.on_drop {
                    _ if *this.complete && !permit.is_unwound() => {
                        permit.end(Outcome::Success);
                    }
                    OnBodyDrop::Head => permit.drop_as(Outcome::Success),
                    OnBodyDrop::Policy => drop(permit),
                }
            }
        }
    }
}

/// Ends the call if its body says that neither data nor trailers come: a server then does not poll it.
fn end_if_over<B: Body, H: Deref<Target = Breaker>>(body: &B, permit: &mut Option<RawPermit<H>>) {
    let ends = |permit: &mut RawPermit<H>| permit.guard(|| body.is_end_stream());
    if permit.as_mut().is_some_and(ends) {
        end(permit, Outcome::Success);
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn end<H: Deref<Target = Breaker>>(permit: &mut Option<RawPermit<H>>, outcome: Outcome) {
    if let Some(permit) = permit.take() {
        permit.end(outcome);
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
        *this.complete = false;
        let body = this.body.as_mut();
        let Some(permit) = this.permit else {
            return body.poll_frame(context);
        };
        let frame = ready!(permit.guard_inner(|| body.poll_frame(context)));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(code) = frame.trailers_ref().and_then(grpc_status) {
                    end(this.permit, grpc_code(code));
                }
                if let (Some(left), Some(data)) = (this.left.as_mut(), frame.data_ref()) {
                    *left = left.saturating_sub(data.remaining() as u64);
                }
                if let Some(permit) = this.permit {
                    let body = &*this.body;
                    let hint = permit.guard(|| body.size_hint());
                    *this.complete = *this.left == Some(0) || hint.exact() == Some(0);
                }
                end_if_over(&*this.body, this.permit);
            }
            Some(Err(_)) => end(this.permit, Outcome::Failure),
            None => end(this.permit, Outcome::Success),
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
            .field("permit", &self.permit)
            .finish_non_exhaustive()
    }
}

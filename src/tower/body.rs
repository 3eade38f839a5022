//! [`HeldBody`]: holds a permit until the end of a response's body.

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

use super::{Classify, completion::CompletionPoint, sealed::Sealed};

/// A call ends with the body of its response. Set by
/// [`BreakerLayer::hold_body`](super::BreakerLayer::hold_body).
#[derive(Clone, Copy, Debug, Default)]
pub struct CompleteAtBodyEnd<C> {
    pub(super) classify: C,
    pub(super) on_drop: OnBodyDrop,
}

/// Outcome of a body that is dropped before its end, after a head that is a success.
///
/// A body that was not polled yet is a success under either rule. So is a body whose data has come
/// in full, by the length in its head or by its size hint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnBodyDrop {
    /// A success, like the head: a client ends an event stream by dropping it. A failure if the
    /// policy's [`on_drop`](crate::Policy::on_drop) makes this drop a failure.
    #[default]
    Head,
    /// A dropped call. The policy's [`on_drop`](crate::Policy::on_drop) makes it a failure or
    /// ignores it.
    Policy,
}

impl<C> Sealed for CompleteAtBodyEnd<C> {}

impl<B, Error, H, C> CompletionPoint<Response<B>, Error, H> for CompleteAtBodyEnd<C>
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

    fn complete(
        &self,
        mut permit: RawPermit<H>,
        result: Result<Response<B>, Error>,
    ) -> Result<Self::Response, Error> {
        let outcome = permit.guard(|| self.classify.classify(&result));
        // Only a successful head leaves the outcome open. A probe that waited for its body would
        // keep all other callers out while the body lasts.
        let permit = if outcome == Outcome::Success && result.is_ok() && !permit.is_probe() {
            Some(permit)
        } else {
            permit.record(outcome);
            None
        };
        result.map(|response| hold(response, permit, self.on_drop))
    }

    fn pass(&self, response: Response<B>) -> Self::Response {
        hold(response, None, self.on_drop)
    }
}

/// Moves a permit into the body of a response.
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
    /// Body of a response that holds the permit of its call. Created by
    /// [`BreakerLayer::hold_body`](super::BreakerLayer::hold_body).
    ///
    /// The end of the body is a success, and an error of the body is a failure. A `grpc-status` in
    /// the trailers decides the outcome by [`classify::grpc_code`](crate::classify::grpc_code).
    /// [`OnBodyDrop`] decides the outcome of a body that is dropped before its end. A body that is
    /// dropped by a panic is a failure. In all other respects this body behaves like the inner
    /// body.
    pub struct HeldBody<B, H>
    where
        H: Deref<Target = Breaker>,
    {
        #[pin]
        body: B,
        // `None` once the call has ended.
        permit: Option<RawPermit<H>>,
        on_drop: OnBodyDrop,
        // The number of bytes to come, if the head has a length.
        left: Option<u64>,
        // True if a drop at this point discards no data that the caller asked for. The body was not
        // polled yet, or all data has come. Trailers may still follow, so the call continues.
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
                        permit.record(Outcome::Success);
                    }
                    OnBodyDrop::Head => permit.drop_as(Outcome::Success),
                    OnBodyDrop::Policy => drop(permit),
                }
            }
        }
    }
}

/// Ends the call if its body has neither data nor trailers to come. A server does not poll such a
/// body.
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
        permit.record(outcome);
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

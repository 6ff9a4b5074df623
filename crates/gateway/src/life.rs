//! The life of a call, top to bottom. Read this first.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use http_body::Body;

use crate::body::ReplyBody;
use crate::call::Call;
use crate::endpoint::{Endpoint, Task};
use crate::live::Live;
use crate::refusal::Refusal;
use crate::transport::Transport;
use crate::{admit, count, deliver, intake, route};

/// One worker's hold on the gateway: the shared state, and its own way out.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Shared by all workers.
    pub live: Arc<Live>,
    /// This worker's connections.
    pub transport: Transport,
}

/// Answers one call of a model.
pub async fn call<B>(gateway: &Gateway, endpoint: Endpoint, head: Parts, body: B) -> Response<ReplyBody>
where
    B: Body<Data = Bytes>,
{
    let mut call = Call::new(gateway.live.snapshot(), endpoint, head.headers);
    match serve(gateway, &mut call, body).await {
        Ok(response) => response,
        Err(refusal) => deliver::refusal(&call, &refusal),
    }
}

async fn serve<B>(gateway: &Gateway, call: &mut Call, body: B) -> Result<Response<ReplyBody>, Refusal>
where
    B: Body<Data = Bytes>,
{
    let caller = call.snapshot.keys.identify(&call.headers)?; //                who
    let payload = intake::read(call, body).await?; //                           what: the envelope is read, the content is not
    let permit = admit::request(&gateway.live, call, caller)?; //               may they
    if call.endpoint.task == Task::Count {
        return count::answer(&gateway.transport, call, &payload).await;
    }
    match route::send(&gateway.transport, call, &payload).await {
        // stream back; the settlement rides the body
        Ok((answer, retries)) => Ok(deliver::answer(call, permit, answer, &payload.asked, retries)),
        Err(unanswered) => Ok(deliver::unanswered(call, unanswered, &payload.asked)),
    }
}

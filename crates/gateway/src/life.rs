//! The life of a call, top to bottom. Read this first.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Response, Uri};
use http_body::Body;
use wire::format::Format;

use crate::auth::Caller;
use crate::body::ReplyBody;
use crate::call::Call;
use crate::endpoint::{Endpoint, Task};
use crate::live::Live;
use crate::refusal::Refusal;
use crate::transport::Transport;
use crate::{admit, count, deliver, intake, responses, route, settle};

/// One worker's hold on the gateway: the shared state, and its own way out.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Shared by all workers.
    pub live: Arc<Live>,
    /// This worker's connections.
    pub transport: Transport,
}

/// Answers one call of a model.
pub async fn call<B>(
    gateway: &Gateway,
    endpoint: Endpoint,
    head: Parts,
    body: B,
    peer: IpAddr,
) -> Response<ReplyBody>
where
    B: Body<Data = Bytes>,
{
    let mut call = Call::new(gateway.live.snapshot(), endpoint, head.headers);
    if call.endpoint.format == Format::Gemini {
        call.read_googles_query(head.uri.query().unwrap_or_default());
    }
    let answer = match call.endpoint.task.calls_a_model() {
        true => serve(gateway, &mut call, &head.uri, body, peer).await,
        false => remember(gateway, &call, &head.uri, peer).await,
    };
    answer.unwrap_or_else(|refusal| deliver::refusal(&call, &refusal))
}

async fn serve<B>(
    gateway: &Gateway,
    call: &mut Call,
    uri: &Uri,
    body: B,
    peer: IpAddr,
) -> Result<Response<ReplyBody>, Refusal>
where
    B: Body<Data = Bytes>,
{
    let caller = identify(gateway, call, uri, peer)?; //                                    who
    let mut payload = intake::read(call, &caller, body).await?; //                          what: the envelope is read, the content is not
    if call.endpoint.task == Task::Count {
        return count::answer(&gateway.transport, call, &payload).await;
    }
    let owner = caller.owner();
    let mut permit = admit::request(&gateway.live, call, caller, &payload).await?; //             may they
    let keeps = call.endpoint.format == Format::OpenAiResponses
        && responses::resolve(&gateway.live.shelf, call, owner, &mut payload)?; // what came before it
    match route::send(&gateway.transport, call, &mut permit, &payload).await {
        // stream back; the settlement rides the body
        Ok(mut sent) => {
            if keeps {
                responses::keep(&gateway.live.shelf, owner, &payload, &mut sent.answer);
            }
            Ok(deliver::answer(call, permit, sent, &payload.asked))
        }
        Err(unanswered) => {
            if let Some(deployment) = &unanswered.deployment {
                settle::unanswered(permit, deployment, &unanswered.refusal, unanswered.retries);
            }
            Ok(deliver::unanswered(call, unanswered, &payload.asked))
        }
    }
}

/// Who is calling, if they may come this way at all.
fn identify(gateway: &Gateway, call: &Call, uri: &Uri, peer: IpAddr) -> Result<Caller, Refusal> {
    let caller = gateway.live.caller(&call.snapshot, &call.headers)?;
    if let Some(resolved) = caller.key() {
        admit::may_come(resolved, uri.path(), peer)?;
    }
    Ok(caller)
}

/// Answers a request about a response that was made earlier.
async fn remember(
    gateway: &Gateway,
    call: &Call,
    uri: &Uri,
    peer: IpAddr,
) -> Result<Response<ReplyBody>, Refusal> {
    let caller = identify(gateway, call, uri, peer)?;
    responses::answer(gateway, call, caller.owner(), uri).await
}

//! The life of a call, top to bottom. Read this first.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Response, Uri};
use http_body::Body;
use wire::format::Format;

use crate::body::ReplyBody;
use crate::call::Call;
use crate::endpoint::{Endpoint, Task};
use crate::live::Live;
use crate::refusal::Refusal;
use crate::transport::Transport;
use crate::{admit, count, deliver, intake, responses, route};

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
    if call.endpoint.format == Format::Gemini {
        call.read_googles_query(head.uri.query().unwrap_or_default());
    }
    let answer = match call.endpoint.task.calls_a_model() {
        true => serve(gateway, &mut call, body).await,
        false => remember(gateway, &call, &head.uri).await,
    };
    answer.unwrap_or_else(|refusal| deliver::refusal(&call, &refusal))
}

async fn serve<B>(gateway: &Gateway, call: &mut Call, body: B) -> Result<Response<ReplyBody>, Refusal>
where
    B: Body<Data = Bytes>,
{
    let caller = call.snapshot.keys.identify(&call.headers)?; //                who
    let mut payload = intake::read(call, body).await?; //                       what: the envelope is read, the content is not
    let permit = admit::request(&gateway.live, call, caller)?; //               may they
    if call.endpoint.task == Task::Count {
        return count::answer(&gateway.transport, call, &payload).await;
    }
    let keeps = call.endpoint.format == Format::OpenAiResponses
        && responses::resolve(&gateway.live.shelf, call, caller, &mut payload)?; // what came before it
    match route::send(&gateway.transport, call, &payload).await {
        // stream back; the settlement rides the body
        Ok((mut answer, retries)) => {
            if keeps {
                responses::keep(&gateway.live.shelf, caller, &payload, &mut answer);
            }
            Ok(deliver::answer(call, permit, answer, &payload.asked, retries))
        }
        Err(unanswered) => Ok(deliver::unanswered(call, unanswered, &payload.asked)),
    }
}

/// Answers a request about a response that was made earlier.
async fn remember(gateway: &Gateway, call: &Call, uri: &Uri) -> Result<Response<ReplyBody>, Refusal> {
    let caller = call.snapshot.keys.identify(&call.headers)?;
    responses::answer(gateway, call, caller, uri).await
}

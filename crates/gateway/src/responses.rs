//! What the Responses API adds to a call: going on with an earlier response, keeping this one, and asking for kept
//! ones later.
//!
//! Where the provider speaks the API itself, the provider keeps; callers see ids that say which deployment that was.
//! Where it does not, the response is kept here, see [`crate::kept`].

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response, StatusCode, Uri};
use wire::envelope::{self, Envelope};
use wire::format::Format;
use wire::openai_responses::chain::{self, Page, Wishes};
use wire::openai_responses::routed::Routed;
use wire::raw::Raw;
use wire::scan;

use crate::auth::Owner;
use crate::body::ReplyBody;
use crate::call::Call;
use crate::deliver;
use crate::deployment::{Deployment, Lane};
use crate::endpoint::{self, Task};
use crate::exchange::{Answer, Reply};
use crate::intake::{MOST_DEPTH, Payload, Previous};
use crate::kept::{Kept, Shelf};
use crate::life::Gateway;
use crate::marks::{self, Splices};
use crate::prepare;
use crate::refusal::Refusal;
use crate::snapshot::Group;
use crate::transport::Destination;

/// The longest answer about a kept response that is read.
const MOST_ANSWER: usize = 32 << 20;
/// How long a provider may take for one.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// Resolves what a request says about earlier responses: the payload stands alone afterwards, or is bound to the
/// deployment that keeps the earlier one. Returns whether the response to it is to be kept.
///
/// # Errors
/// 400 when there is no such response, or nobody who could do what is asked.
pub fn resolve(shelf: &Shelf, call: &Call, caller: Owner, payload: &mut Payload) -> Result<bool, Refusal> {
    let refuse = |error| Refusal::untranslatable(call.endpoint.route(), &error);
    let wishes = Wishes::read(payload.envelope.body()).map_err(refuse)?;
    let speaks = payload.group.deployments.iter().any(|deployment| native(deployment).is_some());
    if wishes.background && !speaks {
        let problem = "'background' is served only by providers that speak the Responses API themselves.";
        return Err(Refusal::new(400, problem).with_param("background"));
    }
    let Some(id) = wishes.previous_response_id else { return Ok(wishes.store) };
    if let Some(kept) = shelf.find(&id, caller) {
        let earlier = chain::history(&kept.input, &kept.response).map_err(refuse)?;
        let body = chain::continued(payload.envelope.body(), &earlier).map_err(refuse)?;
        payload.envelope =
            Envelope::read(body, MOST_DEPTH).map_err(|error| Refusal::new(400, error.to_string()))?;
        payload.previous = Some(Previous::Ours);
        return Ok(wishes.store);
    }
    if let Some(routed) = Routed::open(&id) {
        let mut deployments = payload.group.deployments.iter();
        let keeper =
            deployments.find(|deployment| deployment.id == routed.deployment && native(deployment).is_some());
        let keeper = keeper.ok_or_else(|| no_previous(&id))?;
        payload.group = Arc::new(Group::alone(payload.group.name.clone(), Arc::clone(keeper)));
        payload.previous = Some(Previous::Theirs(envelope::json(&routed.id)));
        return Ok(wishes.store);
    }
    // An id that a provider gave without us in between.
    if speaks { Ok(wishes.store) } else { Err(no_previous(&id)) }
}

/// Keeps the answer, if nobody else does.
pub fn keep(shelf: &Arc<Shelf>, caller: Owner, payload: &Payload, answer: &mut Answer) {
    if answer.spoken == Format::OpenAiResponses {
        return;
    }
    let Ok(input) = chain::input(payload.envelope.body()) else { return };
    let keeper = Keeper { shelf: Arc::clone(shelf), caller, input };
    match &mut answer.reply {
        Reply::Whole { body, .. } => keeper.keep(prepare::contiguous(body.clone().into())),
        Reply::Stream(flow) => flow.keep_with(keeper),
    }
}

/// Waits for a response that is to be kept.
#[derive(Debug)]
pub struct Keeper {
    shelf: Arc<Shelf>,
    caller: Owner,
    input: Vec<Raw>,
}

impl Keeper {
    /// Keeps the response that the last frames of a stream hold. Before they are sent: a caller who goes on at once
    /// must find it.
    pub fn keep_stream(self, frames: &[u8]) {
        let text = std::str::from_utf8(frames).unwrap_or_default();
        let mut data = text.lines().rev().filter_map(|line| line.strip_prefix("data:"));
        if let Some(response) = data.find_map(chain::finished) {
            self.keep(Bytes::copy_from_slice(response.text().as_bytes()));
        }
    }

    fn keep(self, response: Bytes) {
        if let Some(id) = std::str::from_utf8(&response).ok().and_then(id_of) {
            self.shelf.keep(id.to_owned(), Kept::new(self.caller, self.input, response.clone()));
        }
    }
}

/// The `id` of a response object.
fn id_of(response: &str) -> Option<&str> {
    let mut id = None;
    scan::object(response, |name, place| {
        if name == "id" {
            id = Some(response[place].trim_matches('"'));
        }
    })
    .ok()?;
    id.filter(|id| !id.is_empty())
}

/// Answers a request about a response that is kept.
///
/// # Errors
/// 404 when nobody keeps one of that id, or the keeper's own failure.
pub async fn answer(
    gateway: &Gateway,
    call: &Call,
    caller: Owner,
    uri: &Uri,
) -> Result<Response<ReplyBody>, Refusal> {
    let id = call.endpoint.named.as_deref().unwrap_or_default();
    if let Some(routed) = Routed::open(id) {
        return ask(gateway, call, uri, id, &routed).await;
    }
    let shelf = &gateway.live.shelf;
    let kept = shelf.find(id, caller).ok_or_else(|| no_response(id))?;
    let body = match call.endpoint.task {
        Task::Items => chain::input_items(id, &kept.input, page(uri.query().unwrap_or_default())),
        Task::Delete => {
            // It may be gone by now, which is what is asked for.
            let _ = shelf.forget(id, caller);
            envelope::json(&serde_json::json!({"id": id, "object": "response", "deleted": true}))
        }
        Task::Cancel => {
            let problem = "Only a response that is made in the background can be cancelled.";
            return Err(Refusal::new(400, problem).with_param("response_id"));
        }
        Task::Fetch | Task::Reply | Task::Stream | Task::Count => kept.response.clone(),
    };
    Ok(deliver::plain(call, body))
}

/// Which part of a list a query asks for.
fn page(query: &str) -> Page<'_> {
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let limit = value("limit").and_then(|limit| limit.parse().ok()).unwrap_or(Page::default().limit);
    Page { after: value("after"), limit, ascending: value("order") == Some("asc") }
}

/// Asks the provider that keeps a response.
async fn ask(
    gateway: &Gateway,
    call: &Call,
    uri: &Uri,
    asked: &str,
    routed: &Routed,
) -> Result<Response<ReplyBody>, Refusal> {
    let group = call.snapshot.group(&routed.deployment).ok_or_else(|| no_response(asked))?;
    let found = group.deployments.iter().find_map(|deployment| Some((deployment, native(deployment)?)));
    let (deployment, lane) = found.ok_or_else(|| no_response(asked))?;
    let to = place(call, lane, uri, &routed.id).ok_or_else(|| no_response(asked))?;
    let method = call.endpoint.task.method();
    let body = if method == Method::POST { Bytes::from_static(b"{}") } else { Bytes::new() };
    let sent = async {
        let reply = gateway.transport.send(&to, method, &prepare::headers(call, lane), body.into()).await?;
        let status = reply.status;
        reply.body.whole(MOST_ANSWER).await.map(|bytes| (status, bytes))
    };
    let result = tokio::time::timeout(PATIENCE, sent).await;
    let timeout = || crate::transport::timeout_fault(PATIENCE);
    let fault = match result.unwrap_or_else(|_| Err(timeout())) {
        Ok((StatusCode::NOT_FOUND, _)) => return Err(no_response(asked)),
        Ok((status, bytes)) if status.is_success() => {
            return Ok(deliver::plain(call, renamed(bytes, routed, asked, &group.name)));
        }
        Ok((status, bytes)) => wire::openai_chat::fault::read(status.as_u16(), &bytes),
        Err(fault) => fault,
    };
    let mut fault = fault;
    deployment.hide_secrets(&mut fault);
    Err(Refusal::from_fault(&fault, &deployment.exception))
}

/// The provider's address for a kept response.
fn place(call: &Call, lane: &Lane, uri: &Uri, id: &str) -> Option<Destination> {
    let base = lane.to.as_ref()?.uri.to_string();
    let (path, version) =
        base.split_once('?').map_or((base.as_str(), None), |(path, query)| (path, Some(query)));
    let verb = match call.endpoint.task {
        Task::Items => "/input_items",
        Task::Cancel => "/cancel",
        _ => "",
    };
    let queries: Vec<&str> = version.into_iter().chain(uri.query()).collect();
    let query = if queries.is_empty() { String::new() } else { format!("?{}", queries.join("&")) };
    Destination::parse(&format!("{path}/{id}{verb}{query}")).ok()
}

/// The object with the names that the caller knows: its own id, that of the response before, the model.
fn renamed(bytes: Bytes, routed: &Routed, asked: &str, model: &str) -> Bytes {
    let Ok(text) = std::str::from_utf8(&bytes) else { return bytes };
    let quoted = format!("\"{}\"", routed.id);
    let mut splices = Splices::new();
    let _ = scan::object(text, |name, place| {
        let said = &text[place.clone()];
        let ours = match name {
            "id" if said == quoted => asked.to_owned(),
            "previous_response_id" if said.starts_with('"') => {
                Routed::sealed(&routed.deployment, said.trim_matches('"'))
            }
            "model" if said.starts_with('"') => model.to_owned(),
            _ => return,
        };
        splices.push((place, envelope::json(&ours)));
    });
    prepare::contiguous(marks::spliced(&bytes, splices))
}

/// The lane on which a deployment speaks the Responses API itself.
fn native(deployment: &Deployment) -> Option<&Lane> {
    let lane = deployment.lane(Format::OpenAiResponses)?;
    (lane.format == Format::OpenAiResponses).then_some(lane)
}

fn no_previous(id: &str) -> Refusal {
    Refusal::new(400, format!("Previous response with id '{}' not found.", shown(id)))
        .with_kind("previous_response_not_found")
        .with_param("previous_response_id")
}

fn no_response(id: &str) -> Refusal {
    Refusal::new(404, format!("Response with id '{}' not found.", shown(id))).with_param("response_id")
}

fn shown(id: &str) -> String {
    endpoint::decoded(id).chars().take(120).collect()
}

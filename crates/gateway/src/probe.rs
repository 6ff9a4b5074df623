//! Is a deployment alive? One tiny real call, outside of any caller's account.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use wire::envelope::{self, Envelope};
use wire::format::{Format, Operation};

use crate::call::Call;
use crate::controls::Controls;
use crate::deployment::Deployment;
use crate::endpoint::Endpoint;
use crate::exchange::{self, Failure};
use crate::intake::Payload;
use crate::life::Gateway;
use crate::refusal::Refusal;
use crate::snapshot::Group;

/// How long a probe may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Tokens a probe asks for.
const MOST_TOKENS: u32 = 5;

/// Makes one small call.
///
/// # Errors
/// What went wrong, in the words a caller would see.
pub async fn deployment(gateway: &Gateway, deployment: &Arc<Deployment>) -> Result<(), String> {
    let format = match deployment.mode() {
        Some("embedding") => Format::OpenAiEmbeddings,
        Some("rerank") => Format::CohereRerank,
        Some("completion") => Format::OpenAiCompletions,
        Some("chat" | "responses") | None => Format::OpenAiChat,
        Some(other) => return Err(format!("models of mode {other} are not probed yet")),
    };
    let body = match format.operation() {
        Operation::Chat => serde_json::json!({
            "model": deployment.group, "max_tokens": MOST_TOKENS,
            "messages": [{"role": "user", "content": "Say ok."}],
        }),
        Operation::Completion => {
            serde_json::json!({"model": deployment.group, "max_tokens": MOST_TOKENS, "prompt": "Say ok."})
        }
        Operation::Embedding => serde_json::json!({"model": deployment.group, "input": "ok"}),
        Operation::Rerank => {
            serde_json::json!({"model": deployment.group, "query": "ok", "documents": ["ok"]})
        }
    };
    let envelope = Envelope::read(envelope::json(&body), 16).map_err(|error| error.to_string())?;
    let payload = Payload {
        envelope,
        asked: deployment.group.clone(),
        group: Arc::new(Group::alone(deployment.group.clone(), Arc::clone(deployment))),
        stream: false,
        stream_usage: false,
        previous: None,
        controls: Controls {
            timeout: Some(PATIENCE.min(deployment.timeout)),
            drop_params: Some(true),
            ..Controls::default()
        },
    };
    let mut call = Call::new(gateway.live.snapshot(), Endpoint::reply(format), HeaderMap::new());
    match exchange::attempt(&gateway.transport, &mut call, &payload, deployment).await {
        Ok(_) => Ok(()),
        Err(Failure::Refused(refusal)) => Err(refusal.message),
        Err(Failure::Fault { fault, .. }) => Err(Refusal::from_fault(&fault, &deployment.exception).message),
    }
}

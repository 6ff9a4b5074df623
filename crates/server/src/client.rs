//! Talking to a running gateway from the command line: `--test` and `--health`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use gateway::body::Pieces;
use gateway::transport::{Destination, Tls, Transport};
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::cli::RunningGateway;
use crate::print;

/// Health checks of many deployments take their time.
const PATIENCE: Duration = Duration::from_secs(120);
const MOST_BYTES: usize = 16 << 20;

/// Sends a test chat request and prints the answer.
pub(crate) fn test(gateway: &RunningGateway) -> anyhow::Result<ExitCode> {
    let model = match &gateway.model {
        Some(model) => model.clone(),
        None => {
            let models = ask(gateway, "/v1/models", None)?.1;
            models["data"][0]["id"].as_str().context("the gateway serves no models")?.to_owned()
        }
    };
    let body =
        json!({"model": model, "messages": [{"role": "user", "content": "This is a test request. Say ok."}]});
    report(ask(gateway, "/v1/chat/completions", Some(&body))?)
}

/// Asks for the health of every deployment and prints it.
pub(crate) fn health(gateway: &RunningGateway) -> anyhow::Result<ExitCode> {
    report(ask(gateway, "/health", None)?)
}

fn report((succeeded, answer): (bool, Value)) -> anyhow::Result<ExitCode> {
    print(&format!("{}\n", serde_json::to_string_pretty(&answer)?));
    Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn ask(gateway: &RunningGateway, path: &str, body: Option<&Value>) -> anyhow::Result<(bool, Value)> {
    let url = format!("{}{path}", gateway.base_url);
    let to = Destination::parse(&url).map_err(anyhow::Error::msg)?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(key) = &gateway.key {
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()))?);
    }
    let method = if body.is_some() { Method::POST } else { Method::GET };
    let bytes = body.map_or_else(Bytes::new, |body| body.to_string().into());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let transport = Transport::new(&Tls::new()?);
        let failed = |fault: wire::fault::Fault| anyhow::anyhow!("{url}: {}", fault.message);
        let asked = async {
            let reply = transport.send(&to, method, &headers, Pieces::from(bytes)).await?;
            Ok((reply.status.is_success(), reply.body.whole(MOST_BYTES).await?))
        };
        let answered = tokio::time::timeout(PATIENCE, asked).await.context("no answer came in time")?;
        let (succeeded, bytes) = answered.map_err(failed)?;
        let answer = serde_json::from_slice(&bytes).context("the answer is not JSON: is this a gateway?")?;
        Ok((succeeded, answer))
    })
}

//! Choose a deployment, try it, and on a failure that another try may mend, try again.

use std::sync::Arc;
use std::time::Duration;

use http::header::RETRY_AFTER;
use policy::choose;
use policy::retry::{self, Attempt, Next};

use crate::admit::Permit;
use crate::call::Call;
use crate::deployment::Deployment;
use crate::exchange::{self, Answer, Failure};
use crate::fields::Fields;
use crate::intake::Payload;
use crate::refusal::Refusal;
use crate::transport::Transport;

/// A call that found no answer: what to tell the client, and the upstream's headers, if it sent any.
#[derive(Debug)]
pub struct Unanswered {
    /// What to tell.
    pub refusal: Refusal,
    /// Who was tried last.
    pub deployment: Option<Arc<Deployment>>,
    /// The upstream's response headers.
    pub headers: Fields,
    /// Tries after the first.
    pub retries: u32,
}

/// Tries the group's deployments until one answers.
///
/// # Errors
/// The last failure, once no further try is left or makes sense.
pub async fn send(
    transport: &Transport,
    call: &mut Call,
    permit: &mut Permit,
    payload: &Payload,
) -> Result<(Answer, u32), Unanswered> {
    let group = &payload.group;
    let mut tried: Vec<usize> = Vec::new();
    let mut refused: Option<Unanswered> = None;
    let mut retries = 0;
    loop {
        let random = call.random.rotate_left(7 * retries);
        // Once all have been tried they are all tried again.
        let chosen = choose::choose(&group.candidates, |index| !tried.contains(&index), random)
            .or_else(|| choose::choose(&group.candidates, |_| true, random));
        let Some((index, deployment)) = chosen.and_then(|index| Some((index, group.deployments.get(index)?)))
        else {
            return Err(nobody(payload));
        };
        permit.asking = Some(Arc::clone(deployment));
        let attempt = exchange::attempt(transport, call, payload, deployment).await;
        permit.asking = None;
        let failure = match attempt {
            Ok(answer) => return Ok((answer, retries)),
            Err(failure) => failure,
        };
        let (fault, headers) = match failure {
            Failure::Refused(refusal) => {
                tried.push(index);
                let unanswered = refused.get_or_insert_with(|| Unanswered {
                    refusal,
                    deployment: Some(Arc::clone(deployment)),
                    headers: Fields::default(),
                    retries,
                });
                // Nothing was sent: another provider of the group may be able to say what this one cannot.
                if (0..group.deployments.len()).any(|index| !tried.contains(&index)) {
                    continue;
                }
                unanswered.retries = retries;
                return Err(refused.unwrap_or_else(|| nobody(payload)));
            }
            Failure::Fault { fault, headers } => (fault, headers),
        };
        tracing::debug!(
            call = call.id(), model = ?deployment.group, upstream = ?deployment.model, attempt = retries + 1,
            status = fault.status, kind = ?fault.kind, "an attempt failed"
        );
        tried.push(index);
        let allowed = payload.controls.retries.unwrap_or(deployment.retries);
        let attempt = Attempt {
            made: retries,
            allowed,
            elsewhere: (0..group.deployments.len()).any(|index| !tried.contains(&index)),
            retry_after: retry_after(&headers),
            random,
            ..Attempt::default()
        };
        match retry::after(&fault, attempt) {
            Next::Stop => {
                let mut refusal = Refusal::from_fault(&fault, &deployment.exception);
                if retries > 0 {
                    refusal.message +=
                        &format!(" LiteLLM Retried: {retries} times, LiteLLM Max Retries: {allowed}");
                }
                return Err(Unanswered {
                    refusal,
                    deployment: Some(Arc::clone(deployment)),
                    headers,
                    retries,
                });
            }
            Next::Again { delay } => {
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                    call.waited += delay;
                }
            }
        }
        retries += 1;
    }
}

/// The upstream's `Retry-After` in seconds; the date form is rare among providers and not read.
fn retry_after(headers: &Fields) -> Option<Duration> {
    let seconds: f64 = headers.get(RETRY_AFTER.as_str())?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn nobody(payload: &Payload) -> Unanswered {
    Unanswered {
        refusal: Refusal::new(
            400,
            format!("You passed in model={}. There are no healthy deployments for this model", payload.asked),
        ),
        deployment: None,
        headers: Fields::default(),
        retries: 0,
    }
}

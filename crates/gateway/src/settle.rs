//! What a call cost, however it ended. A [`Settlement`] is owned by whatever carries the reply to the client;
//! its drop records the call, so a client that hangs up is accounted for too.

use std::borrow::Cow;
use std::sync::Arc;

use policy::account::Used;
use policy::money::Cost;
use store::ledger::{self, Charge, Pricing};
use wire::format::{Format, Operation};
use wire::reply::Usage;

use crate::admit::Permit;
use crate::auth::Caller;
use crate::call::{unix_ms, unix_seconds};
use crate::deployment::Deployment;
use crate::refusal::{Refusal, class};

/// What LiteLLM calls the holder of the master key in its logs.
pub const MASTER: &str = "litellm_proxy_master_key";

/// How a call ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// The client went away first.
    #[default]
    Abandoned,
    /// With a complete reply.
    Complete,
    /// With a failure after the reply had begun.
    Failed,
}

/// The account of one call, open until it is dropped.
#[derive(Debug)]
pub struct Settlement {
    /// Who was called.
    pub deployment: Arc<Deployment>,
    /// What was used, as far as the upstream has said.
    pub usage: Option<Usage>,
    /// Pieces of a stream that came, for an upstream that did not live to say what was used.
    pub pieces: u64,
    /// How it ended.
    pub ending: Ending,
    /// Whether the reply is a stream.
    pub stream: bool,
    retries: u32,
    permit: Permit,
}

impl Settlement {
    /// Opens the account of a call that `deployment` answers.
    #[must_use]
    pub fn open(deployment: Arc<Deployment>, permit: Permit, retries: u32) -> Self {
        Self { deployment, usage: None, pieces: 0, ending: Ending::default(), stream: false, retries, permit }
    }

    /// What the call costs as far as is known now; `None` when it is unpriced or its usage is unknown.
    #[must_use]
    pub fn cost(&self) -> Option<Cost> {
        self.cost_of(self.usage.as_ref()?)
    }

    fn cost_of(&self, usage: &Usage) -> Option<Cost> {
        self.permit.cost_of(&self.deployment, usage)
    }
}

impl Drop for Settlement {
    fn drop(&mut self) {
        let usage = self.usage.unwrap_or_else(|| self.permit.about(self.pieces));
        let cost = self.cost_of(&usage);
        let closing = Closing {
            usage: Some(usage),
            cost,
            ending: self.ending,
            retries: self.retries,
            stream: self.stream,
            failure: None,
        };
        self.permit.settle(&self.deployment, &closing);
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let cost = cost.map_or_else(|| "unpriced".to_owned(), |cost| cost.to_string());
        tracing::debug!(
            call = self.permit.call_id.to_str().unwrap_or_default(),
            model = ?self.deployment.group,
            upstream = ?self.deployment.model,
            ending = ?self.ending,
            usage_known = self.usage.is_some(),
            input_tokens = usage.input,
            output_tokens = usage.output,
            cost_usd = %cost,
            duration_ms = u64::try_from(self.permit.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "call"
        );
    }
}

/// How a call came out.
pub(crate) struct Closing {
    pub(crate) usage: Option<Usage>,
    pub(crate) cost: Option<Cost>,
    pub(crate) ending: Ending,
    pub(crate) retries: u32,
    pub(crate) stream: bool,
    pub(crate) failure: Option<Failure>,
}

/// Why a call was not answered.
pub(crate) struct Failure {
    /// LiteLLM's name of the kind.
    pub(crate) class: &'static str,
    pub(crate) message: String,
    /// What the client saw.
    pub(crate) status: u16,
}

/// Records a call that nobody answered. It costs nothing.
pub(crate) fn unanswered(mut permit: Permit, deployment: &Deployment, refusal: &Refusal, retries: u32) {
    let failure = Failure {
        class: refusal.cause.map_or("APIError", class),
        message: refusal.message.clone(),
        status: refusal.status,
    };
    let closing = Closing {
        usage: None,
        cost: Some(Cost::ZERO),
        ending: Ending::Failed,
        retries,
        stream: false,
        failure: Some(failure),
    };
    permit.settle(deployment, &closing);
}

impl Permit {
    /// What an upstream has used that did not say: the prompt it read and the pieces it sent.
    fn about(&self, pieces: u64) -> Usage {
        let bound = self.estimate.bound.unwrap_or(u64::MAX);
        Usage { input: self.estimate.input, output: pieces.min(bound), ..Usage::default() }
    }

    fn cost_of(&self, deployment: &Deployment, usage: &Usage) -> Option<Cost> {
        deployment.cost(self.format.operation(), usage, self.started.elapsed(), unix_seconds())
    }

    /// Gives back what was reserved, charges what was used, and records the charge.
    fn settle(&mut self, deployment: &Deployment, closing: &Closing) {
        self.asking = None;
        let now = unix_ms();
        let cost = closing.cost.unwrap_or_default();
        if std::mem::take(&mut self.held) {
            let snapshot = self.live.snapshot();
            // What a provider had in its cache does not count against limits of tokens.
            let tokens =
                closing.usage.map_or(0, |usage| usage.input.saturating_sub(usage.cache_read) + usage.output);
            let used = Used { tokens, cost };
            for account in self.charged() {
                account.settle(&self.demand, used, now, &snapshot.general.calendar);
            }
            let ticket = self.ticket.take();
            if let (Some(ticket), Some(shared)) = (ticket, self.live.books().and_then(|books| books.shared()))
            {
                shared.settle(ticket, used, now);
            }
        }
        let Some(books) = self.live.books() else { return };
        books.ledger.record(&self.charge(deployment, closing, now));
    }

    fn charge<'a>(&'a self, deployment: &'a Deployment, closing: &'a Closing, now: u64) -> Charge<'a> {
        let who = self.caller.key().map(|resolved| (&resolved.key, &resolved.who));
        let text = |text: Option<&'a str>| Cow::Borrowed(text.unwrap_or_default());
        let caller = match &self.caller {
            Caller::Master => MASTER,
            Caller::Open => "",
            Caller::Key(resolved) => resolved.key.id(),
        };
        let organization = who.and_then(|(key, who)| {
            key.organization.as_deref().or_else(|| Some(who.organization.as_ref()?.id()))
        });
        Charge {
            call: text(self.call_id.to_str().ok()),
            ended_unix_ms: now,
            model_group: Cow::Borrowed(&deployment.group),
            deployment: Cow::Borrowed(&deployment.id),
            provider: Cow::Borrowed(deployment.provider.name),
            upstream_model: Cow::Borrowed(&deployment.model),
            operation: Cow::Borrowed(operation(self.format.operation())),
            caller: Cow::Borrowed(caller),
            usage: closing.usage,
            cost: closing.cost,
            ending: match closing.ending {
                Ending::Abandoned => ledger::Ending::Abandoned,
                Ending::Complete => ledger::Ending::Complete,
                Ending::Failed => ledger::Ending::Failed,
            },
            duration_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            retries: closing.retries,
            route: Cow::Borrowed(route(self.format)),
            key_alias: text(who.and_then(|(key, _)| key.alias())),
            user: text(who.and_then(|(key, _)| key.user.as_deref())),
            team: text(who.and_then(|(key, _)| key.team.as_deref())),
            organization: text(organization),
            project: text(who.and_then(|(key, _)| key.project.as_deref())),
            end_user: text(self.labels.customer.as_deref()),
            tags: Cow::Borrowed(&self.labels.tags),
            api_base: text(deployment.settings.api_base.as_deref()),
            session: text(self.labels.session.as_deref()),
            requester_ip: Cow::Borrowed(""),
            response_id: Cow::Borrowed(""),
            error_class: Cow::Borrowed(closing.failure.as_ref().map_or("", |failure| failure.class)),
            error_message: text(closing.failure.as_ref().map(|failure| failure.message.as_str())),
            status: closing.failure.as_ref().map_or(200, |failure| failure.status),
            first_token_ms: None,
            stream: closing.stream,
            cache_hit: None,
            pricing: match closing.cost {
                _ if deployment.is_free() => Pricing::Free,
                Some(_) => Pricing::Priced,
                None => Pricing::Unpriced,
            },
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // The caller has left while an upstream was at work: it has read the prompt, and will ask for that.
        if let Some(deployment) = self.asking.take() {
            let usage = self.about(0);
            let cost = self.cost_of(&deployment, &usage);
            let closing = Closing {
                usage: Some(usage),
                cost,
                ending: Ending::Abandoned,
                retries: 0,
                stream: false,
                failure: None,
            };
            self.settle(&deployment, &closing);
        }
        if std::mem::take(&mut self.held) {
            let (now, snapshot) = (unix_ms(), self.live.snapshot());
            for account in self.charged() {
                account.release(&self.demand, now, &snapshot.general.calendar);
            }
            let ticket = self.ticket.take();
            if let (Some(ticket), Some(shared)) = (ticket, self.live.books().and_then(|books| books.shared()))
            {
                shared.release(ticket, now);
            }
        }
    }
}

/// LiteLLM's name of a kind of call.
const fn route(format: Format) -> &'static str {
    match (format, format.operation()) {
        (Format::AnthropicMessages, _) => "anthropic_messages",
        (Format::OpenAiResponses, _) => "aresponses",
        (Format::Gemini, _) => "agenerate_content",
        (_, Operation::Chat) => "acompletion",
        (_, Operation::Completion) => "atext_completion",
        (_, Operation::Embedding) => "aembedding",
        (_, Operation::Rerank) => "arerank",
    }
}

const fn operation(operation: Operation) -> &'static str {
    match operation {
        Operation::Chat => "chat",
        Operation::Completion => "completion",
        Operation::Embedding => "embedding",
        Operation::Rerank => "rerank",
    }
}

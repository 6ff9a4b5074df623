//! What a caller is told who has reached a limit: which one, of whom, and until when, in LiteLLM's words.

use http::header::HeaderName;
use policy::account::{Exceeded, Headroom};
use policy::money::Cost;
use policy::period::utc;

use crate::directory::{Account, AccountKind};
use crate::refusal::Refusal;

/// Response headers of what one kind of account may and has left a minute, in this order: requests allowed and left,
/// tokens allowed and left.
type Names = [HeaderName; 4];

macro_rules! names {
    ($kind:literal) => {
        [
            HeaderName::from_static(concat!("x-ratelimit-", $kind, "-limit-requests")),
            HeaderName::from_static(concat!("x-ratelimit-", $kind, "-remaining-requests")),
            HeaderName::from_static(concat!("x-ratelimit-", $kind, "-limit-tokens")),
            HeaderName::from_static(concat!("x-ratelimit-", $kind, "-remaining-tokens")),
        ]
    };
}

static OF_KEY: Names = names!("api_key");
static OF_KEY_MODEL: Names = names!("model_per_key");
static OF_USER: Names = names!("user");
static OF_TEAM: Names = names!("team");
static OF_TEAM_MODEL: Names = names!("model_per_team");
static OF_MEMBER: Names = names!("team_member");
static OF_ORGANIZATION: Names = names!("organization");
static OF_ORGANIZATION_MODEL: Names = names!("model_per_organization");
static OF_CUSTOMER: Names = names!("end_user");

/// What an account has left, as response headers say it.
#[derive(Debug)]
pub(crate) struct Room {
    names: &'static Names,
    limits: [Option<u64>; 2],
    left: Headroom,
}

impl Room {
    /// What `account` has left; `None` where no minute is limited.
    pub(crate) fn of(account: &Account, left: Headroom) -> Option<Self> {
        let limits = [account.terms.requests_per_minute, account.terms.tokens_per_minute];
        let names = match account.kind {
            AccountKind::Key => &OF_KEY,
            AccountKind::KeyModel => &OF_KEY_MODEL,
            AccountKind::User => &OF_USER,
            AccountKind::Team => &OF_TEAM,
            AccountKind::TeamModel => &OF_TEAM_MODEL,
            AccountKind::Member => &OF_MEMBER,
            AccountKind::Organization => &OF_ORGANIZATION,
            AccountKind::OrganizationModel => &OF_ORGANIZATION_MODEL,
            AccountKind::Customer => &OF_CUSTOMER,
            AccountKind::Proxy | AccountKind::Project | AccountKind::Tag | AccountKind::Provider => {
                return None;
            }
        };
        limits.iter().any(Option::is_some).then_some(Self { names, limits, left })
    }

    /// The headers that have something to say.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static HeaderName, u64)> {
        let [requests, tokens] = self.limits;
        let values = [requests, self.left.requests, tokens, self.left.tokens];
        self.names.iter().zip(values).filter_map(|(name, value)| Some((name, value?)))
    }
}

/// The refusal of a call that would exceed a limit of `account`.
#[must_use]
pub(crate) fn refusal(account: &Account, exceeded: &Exceeded, now_ms: u64) -> Refusal {
    match exceeded {
        Exceeded::Requests { limit, resets_at_ms } => {
            rate(account, "requests", *limit, 0, Some(*resets_at_ms), now_ms)
        }
        Exceeded::Tokens { limit, used, resets_at_ms, .. } => {
            rate(account, "tokens", *limit, limit.saturating_sub(*used), Some(*resets_at_ms), now_ms)
        }
        Exceeded::Parallel { limit } => rate(account, "max_parallel_requests", *limit, 0, None, now_ms),
        Exceeded::Budget { index, spent, reserved, asked, limit, resets_at_ms, period } => {
            let mut message =
                budget(account, *index, *spent, *limit, period.map(|period| period.to_string()));
            if spent < limit {
                message += &format!(
                    " This call may cost up to {asked} USD, and calls under way have reserved {reserved} USD: lower \
                     max_tokens, or wait for them."
                );
            }
            let mut refusal = Refusal::new(422, message).with_kind("budget_exceeded");
            refusal.retry_after = resets_at_ms.map(|at| seconds_until(at, now_ms));
            refusal
        }
    }
}

fn rate(
    account: &Account,
    limit_type: &'static str,
    limit: u64,
    remaining: u64,
    resets_at_ms: Option<u64>,
    now_ms: u64,
) -> Refusal {
    let resets = resets_at_ms.unwrap_or(now_ms.saturating_add(1_000));
    let mut refusal = Refusal::new(
        429,
        format!(
            "Rate limit exceeded for {}: {}. Limit type: {limit_type}. Current limit: {limit}, Remaining: {remaining}. \
             Limit resets at: {}",
            account.kind.word(),
            account.id,
            utc(resets)
        ),
    )
    .with_kind("throttling_error");
    refusal.retry_after = Some(seconds_until(resets, now_ms));
    refusal.headers = vec![("rate_limit_type", limit_type.to_owned()), ("reset_at", utc(resets))];
    refusal
}

fn budget(account: &Account, index: usize, spent: Cost, limit: Cost, period: Option<String>) -> String {
    let name = account.alias.as_deref();
    if let (1.., Some(period)) = (index, &period) {
        let whose = match account.kind {
            AccountKind::Team => "Team",
            _ => "Key",
        };
        return format!("ExceededBudget: {whose} over {period} budget. Spend=${spent}, Limit=${limit}");
    }
    match account.kind {
        AccountKind::Key => format!(
            "Budget has been exceeded! Key={} Current cost: {spent}, Max budget: {limit}",
            name.unwrap_or("key")
        ),
        AccountKind::Team => {
            format!(
                "Budget has been exceeded! Team={} Current cost: {spent}, Max budget: {limit}",
                account.id
            )
        }
        AccountKind::Member => {
            let (team, user) = account.id.split_once('/').unwrap_or((&account.id, ""));
            format!(
                "Budget has been exceeded! User={user} in Team={team} Current cost: {spent}, Max budget: {limit}"
            )
        }
        AccountKind::User => {
            format!("ExceededBudget: User={} over budget. Spend={spent}, Budget={limit}", account.id)
        }
        AccountKind::Customer => {
            format!("ExceededBudget: End User={} over budget. Spend={spent}, Budget={limit}", account.id)
        }
        AccountKind::Organization => format!(
            "Budget has been exceeded! Organization={} Current cost: {spent}, Max budget: {limit}",
            account.id
        ),
        AccountKind::Project => {
            format!(
                "Budget has been exceeded! Project={} Current cost: {spent}, Max budget: {limit}",
                account.id
            )
        }
        AccountKind::Tag => {
            format!("Budget has been exceeded! Tag={} Current cost: {spent}, Max budget: {limit}", account.id)
        }
        AccountKind::KeyModel | AccountKind::TeamModel | AccountKind::OrganizationModel => {
            let (owner, model) = account.id.split_once(':').unwrap_or((&account.id, ""));
            format!(
                "LiteLLM Virtual Key: {owner}, exceeded budget for model={model}. Current cost: {spent}, Max budget: \
                 {limit}"
            )
        }
        AccountKind::Proxy | AccountKind::Provider => {
            format!("Budget has been exceeded! Current cost: {spent}, Max budget: {limit}")
        }
    }
}

/// Whole seconds, at least one.
fn seconds_until(at_ms: u64, now_ms: u64) -> u64 {
    at_ms.saturating_sub(now_ms).div_ceil(1_000).max(1)
}

//! May they: the last gate before anything is sent. Only this makes a [`Permit`].
//!
//! In order: the route, the caller's address, the model, then requests, tokens and money of everybody the call is
//! charged to, all or none of them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use http::HeaderValue;
use policy::access::Asked;
use policy::account::Demand;
use policy::money::Cost;
use share::{Ask, Refused, Shared, Ticket};
use wire::format::Format;

use crate::auth::Caller;
use crate::call::{Call, unix_ms};
use crate::deployment::Deployment;
use crate::directory::{Account, Level, Resolved};
use crate::estimate::Estimate;
use crate::intake::Payload;
use crate::labels::Labels;
use crate::limits::{self, Room};
use crate::live::{InFlight, Live};
use crate::refusal::Refusal;

/// Leave to make one call. Holds the parallel slot and what was reserved; ends by drop, however the call ends.
#[derive(Debug)]
pub struct Permit {
    /// Who was let in.
    pub caller: Caller,
    /// What the call is for, beside its caller.
    pub labels: Labels,
    /// Who is being asked for an answer.
    pub asking: Option<Arc<Deployment>>,
    pub(crate) call_id: HeaderValue,
    pub(crate) format: Format,
    pub(crate) started: Instant,
    pub(crate) live: Arc<Live>,
    pub(crate) estimate: Estimate,
    pub(crate) demand: Demand,
    /// Accounts beside the caller's own that the call is charged to.
    pub(crate) beside: Vec<Arc<Account>>,
    /// What is left to whom, for response headers.
    pub(crate) rooms: Vec<Room>,
    /// What was reserved is still held.
    pub(crate) held: bool,
    /// The same, with other replicas.
    pub(crate) ticket: Option<Ticket>,
    _slot: InFlight,
}

/// Lets a caller in, or says which limit of whom is reached.
///
/// # Errors
/// 403 for a route, an address or a model that is not the caller's; 429 for limits; 422 for budgets.
pub async fn request(
    live: &Arc<Live>,
    call: &Call,
    caller: Caller,
    payload: &Payload,
) -> Result<Permit, Refusal> {
    let slot = enter(live, call)?;
    if live.books().is_some_and(|books| !books.ledger.has_room()) {
        return Err(Refusal {
            retry_after: Some(5),
            ..Refusal::new(
                503,
                "Charges cannot be written to disk fast enough, so no new calls are taken for now.",
            )
        });
    }
    let labels = Labels::read(live, call, &caller, payload)?;
    let mut permit = Permit {
        caller,
        labels,
        asking: None,
        call_id: call.id.clone(),
        format: call.endpoint.format,
        started: call.started,
        live: Arc::clone(live),
        estimate: live.books().map(|_| Estimate::of(&payload.envelope)).unwrap_or_default(),
        demand: Demand::default(),
        beside: Vec::new(),
        rooms: Vec::new(),
        held: false,
        ticket: None,
        _slot: slot,
    };
    let Some(resolved) = permit.caller.key().cloned() else { return Ok(permit) };
    let asked = Asked {
        model: &payload.asked,
        groups: &payload.group.access_groups,
        provider: payload.group.deployments.first().map(|deployment| deployment.provider.name),
    };
    may_use(call, &resolved, &payload.asked, asked, permit.labels.customer_denies(asked))?;
    if resolved.who.has_models {
        permit.beside.extend(resolved.who.model_accounts(&resolved.key, asked).cloned());
    }
    permit.labels.accounts(live, &mut permit.beside);
    permit.reserve(call, payload, &resolved)?;
    if let Some(shared) = live.books().and_then(|books| books.shared()) {
        // Boxed: where nothing is shared, no call carries its state.
        Box::pin(permit.reserve_with_others(shared)).await?;
    }
    Ok(permit)
}

fn enter(live: &Arc<Live>, call: &Call) -> Result<InFlight, Refusal> {
    let limit = call.snapshot.general.max_parallel_requests;
    live.enter(limit).ok_or_else(|| Refusal {
        retry_after: Some(1),
        ..Refusal::new(
            429,
            format!(
                "Max parallel request limit reached: general_settings.global_max_parallel_requests is {}.",
                limit.unwrap_or_default()
            ),
        )
    })
}

/// Whether a key may be used for this route from this address.
///
/// # Errors
/// 403 that says what it may be used for.
pub fn may_come(resolved: &Resolved, path: &str, address: IpAddr) -> Result<(), Refusal> {
    let Some(extras) = &resolved.key.extras else { return Ok(()) };
    if extras.route_list.as_ref().is_some_and(|list| !list.allows(path)) {
        return Err(Refusal::new(
            403,
            format!(
                "Virtual key is not allowed to call this route. Only allowed to call routes: {:?}. Tried to call \
                 route: {path}",
                extras.routes
            ),
        ));
    }
    if !extras.admits(address) {
        return Err(Refusal::new(
            403,
            format!("Access forbidden: this key is not allowed to be used from the address {address}."),
        ));
    }
    Ok(())
}

fn may_use(
    call: &Call,
    resolved: &Resolved,
    model: &str,
    asked: Asked<'_>,
    customer_denies: bool,
) -> Result<(), Refusal> {
    let denied = resolved.who.denies(&resolved.key, asked).or(customer_denies.then_some(Level::Customer));
    let Some(level) = denied else { return Ok(()) };
    tracing::debug!(call = call.id(), key = resolved.key.id(), ?level, model, "a model is not allowed");
    let shown: String = model.chars().take(200).collect();
    let message = match level {
        Level::Customer => {
            format!("The requested model '{shown}' is not in the allowed models for this customer.")
        }
        _ => format!(
            "The requested model '{shown}' is not available for this API key, or the model name is invalid. Check the \
             models available to you and try again."
        ),
    };
    Err(Refusal::new(403, message).with_kind(level.kind()).with_param("model"))
}

impl Permit {
    fn reserve(&mut self, call: &Call, payload: &Payload, resolved: &Resolved) -> Result<(), Refusal> {
        let limited = resolved.who.is_limited || self.beside.iter().any(|account| account.is_limited());
        self.demand.at_ms = unix_ms();
        if limited {
            let free = payload.group.is_free();
            let budget = resolved.who.has_budget || self.beside.iter().any(|account| account.has_budget());
            self.demand.tokens = self.estimate.input.saturating_add(self.estimate.bound.unwrap_or(0));
            self.demand.billed = !free;
            if budget && !free {
                let expected = resolved.key.extras.as_ref().and_then(|extras| extras.expected_output);
                self.demand.cost = self.estimate.cost(call, payload, expected).unwrap_or_default();
            }
        }
        let calendar = &call.snapshot.general.calendar;
        let mut rooms = Vec::new();
        for (index, account) in self.charged().enumerate() {
            let exceeded = match account.reserve(&self.demand, calendar) {
                Ok(left) => {
                    rooms.extend(Room::of(account, left));
                    continue;
                }
                Err(exceeded) => exceeded,
            };
            let refusal = limits::refusal(account, &exceeded, self.demand.at_ms);
            for held in self.charged().take(index) {
                held.release(&self.demand, self.demand.at_ms, calendar);
            }
            return Err(refusal);
        }
        self.held = true;
        self.rooms = rooms;
        Ok(())
    }

    /// Asks the other replicas too. What is refused is given back here by the permit's drop.
    async fn reserve_with_others(&mut self, shared: &Shared) -> Result<(), Refusal> {
        let now = self.demand.at_ms;
        let limited: Vec<&Arc<Account>> = self.charged().filter(|account| account.is_limited()).collect();
        let names: Vec<String> = limited.iter().map(|account| account.name()).collect();
        let known: Vec<Vec<(Cost, Option<u64>)>> = limited
            .iter()
            .map(|account| (0..account.terms.budgets.len()).map(|index| account.spent(index, now)).collect())
            .collect();
        let asks: Vec<Ask<'_>> = limited
            .iter()
            .zip(names.iter().zip(&known))
            .map(|(account, (name, known))| Ask {
                account: name,
                terms: &account.terms,
                demand: &self.demand,
                known,
            })
            .collect();
        let reserved = shared.reserve(&asks, now).await;
        let refusal = match reserved {
            Ok(ticket) => {
                self.ticket = Some(ticket);
                return Ok(());
            }
            Err(Refused::Exceeded { index, exceeded }) => {
                limited.get(index).map(|account| limits::refusal(account, &exceeded, now))
            }
            Err(Refused::Unavailable { .. }) => None,
        };
        Err(refusal.unwrap_or_else(|| Refusal {
            retry_after: Some(1),
            ..Refusal::new(
                503,
                "Limits cannot be checked with the other replicas for now, and none is let in unchecked.",
            )
        }))
    }

    /// Everybody the call is charged to; nobody where the caller has no key.
    pub(crate) fn charged(&self) -> impl Iterator<Item = &Arc<Account>> {
        let own = self.caller.key().map(|resolved| &resolved.who.accounts[..]).unwrap_or_default();
        own.iter().chain(&self.beside)
    }
}

//! Names of keys, arguments of the scripts and what their answers mean. The scripts say what is where.

use std::time::Duration;

use ::redis::{Cmd, Value};
use policy::account::{Exceeded, Headroom, Terms};
use policy::money::Cost;

use super::Entry;
use super::pending::{Batch, Pending};
use crate::{Ask, Refused};

/// Doubles are exact up to here.
const MOST: i64 = (1 << 53) - 1;
/// A budget's key outlives its period by so long, for settlements that are late.
const LATE_MS: u64 = 86_400_000;
/// Numbers in the answer for each account.
const NUMBERS: usize = 5;

/// How keys are named.
#[derive(Debug)]
pub(super) struct Names {
    prefix: String,
    /// This process.
    pub(super) replica: String,
}

impl Names {
    pub(super) fn new(namespace: Option<&str>) -> Self {
        let prefix = namespace.map_or_else(|| "{tollgate}".to_owned(), |name| format!("{{tollgate:{name}}}"));
        Self { prefix, replica: uuid::Uuid::now_v7().simple().to_string() }
    }

    pub(super) fn counters(&self, account: &str) -> String {
        [&self.prefix, "c:", account].concat()
    }

    pub(super) fn leases(&self, account: &str) -> String {
        [&self.prefix, "l:", account].concat()
    }

    pub(super) fn budget(&self, account: &str, index: usize, ends_ms: Option<u64>) -> String {
        let (mut number, mut end) = (itoa::Buffer::new(), itoa::Buffer::new());
        let end = end.format(ends_ms.unwrap_or(0));
        [&self.prefix, "b:", account, ":", number.format(index), ":", end].concat()
    }

    pub(super) fn applied(&self) -> String {
        [&self.prefix, "a:", &self.replica].concat()
    }

    pub(super) fn lease(&self, ticket: u64, nano: i64) -> Box<str> {
        let (mut number, mut amount) = (itoa::Buffer::new(), itoa::Buffer::new());
        [&self.replica, "-", number.format(ticket), ":", amount.format(nano)].concat().into()
    }
}

#[expect(clippy::too_many_arguments, reason = "each is one part of the command")]
pub(super) fn reserve(
    names: &Names,
    script: &str,
    asks: &[Ask<'_>],
    entries: &[Entry],
    pending: &Pending,
    ticket: u64,
    now_ms: Option<u64>,
    lease: Duration,
) -> Cmd {
    let keys: Vec<Vec<String>> = entries.iter().map(|entry| keys_of(names, entry)).collect();
    let mut command = evalsha(script, keys.iter().map(Vec::len).sum(), 16 * asks.len() + 8);
    for key in keys.iter().flatten() {
        command.arg(key);
    }
    instant(&mut command, now_ms);
    let mut number = itoa::Buffer::new();
    command.arg([&names.replica, "-", number.format(ticket)].concat()).arg(&names.replica);
    command.arg(millis(lease)).arg(asks.len());
    for ((ask, entry), keys) in asks.iter().zip(entries).zip(&keys) {
        let Terms { requests_per_minute, tokens_per_minute, parallel, budgets } = ask.terms;
        for limit in [requests_per_minute, tokens_per_minute, parallel] {
            limit_arg(&mut command, *limit);
        }
        command.arg(clamped(entry.tokens)).arg(entry.nano.min(MOST));
        command
            .arg(u8::from(ask.demand.billed))
            .arg(u8::from(entry.lease.is_some()))
            .arg(entry.budgets.len());
        for (slot, key) in entry.budgets.iter().zip(keys.iter().skip(2)) {
            let limit = budgets.get(slot.index).and_then(|budget| budget.limit).unwrap_or(Cost::MAX);
            let known = ask.known.get(slot.index).map_or(0, |(spent, _)| spent.nano());
            // What is on its way is not counted twice, nor counted off where it was not known yet.
            let seed = known.saturating_sub(pending.unsent(key)).max(known.min(0)).clamp(-MOST, MOST);
            command.arg(limit.nano().min(MOST)).arg(seed);
            expiry(&mut command, slot.ends_ms);
        }
    }
    command
}

pub(super) fn settle(names: &Names, script: &str, batch: &Batch) -> Cmd {
    let ends = || batch.ends.iter().flat_map(|end| end.entries.iter().map(|entry| (entry, end.used_tokens)));
    let count = ends().count();
    let keys = 1 + 2 * count + batch.charges.len();
    let mut command = evalsha(script, keys, keys + 4 * count + 2 * batch.charges.len());
    command.arg(names.applied());
    for (entry, _) in ends() {
        command.arg(names.counters(&entry.account)).arg(names.leases(&entry.account));
    }
    for key in batch.charges.keys() {
        command.arg(key);
    }
    command.arg(batch.number).arg(count);
    for (entry, used) in ends() {
        command.arg(entry.lease.as_deref().unwrap_or("")).arg(entry.nano.min(MOST));
        match entry.since_ms {
            Some(since_ms) => command.arg(since_ms).arg(clamped(used) - clamped(entry.tokens)),
            None => command.arg("").arg(0),
        };
    }
    command.arg(batch.charges.len());
    for charge in batch.charges.values() {
        command.arg(charge.nano);
        expiry(&mut command, charge.ends_ms);
    }
    command
}

pub(super) fn renew(
    names: &Names,
    script: &str,
    entries: &[&Entry],
    now_ms: Option<u64>,
    lease: Duration,
) -> Cmd {
    let leased = || entries.iter().filter_map(|entry| Some((entry, entry.lease.as_deref()?)));
    let count = leased().count();
    let mut command = evalsha(script, 2 * count, 4 * count);
    for (entry, _) in leased() {
        command.arg(names.counters(&entry.account)).arg(names.leases(&entry.account));
    }
    instant(&mut command, now_ms);
    command.arg(millis(lease));
    for (entry, lease) in leased() {
        command.arg(lease).arg(entry.nano.min(MOST));
    }
    command
}

/// What the server decided; `None` when its answer is none. Granted entries learn the window they were counted in.
pub(super) fn verdict(
    value: &Value,
    asks: &[Ask<'_>],
    entries: &mut [Entry],
    now_ms: u64,
) -> Option<Result<Box<[Headroom]>, Refused>> {
    let Value::Array(items) = value else { return None };
    let numbers: Vec<u64> = items.iter().map(number).collect::<Option<_>>()?;
    let (granted, rest) = numbers.split_first()?;
    if *granted == 0 {
        let index = usize::try_from(*rest.first()?).ok()?.checked_sub(1)?;
        let exceeded = exceeded(rest.get(1..)?, asks.get(index)?, entries.get(index)?, now_ms)?;
        return Some(Err(Refused::Exceeded { index, exceeded }));
    }
    let mut headroom = Vec::with_capacity(asks.len());
    for ((ask, entry), seen) in asks.iter().zip(entries).zip(rest.chunks_exact(NUMBERS)) {
        let &[since_ms, left_ms, requests, tokens, calls] = seen else { return None };
        entry.since_ms = Some(since_ms);
        let rest = |limit: Option<u64>, used: u64| limit.map(|limit| limit.saturating_sub(used));
        headroom.push(Headroom {
            requests: rest(ask.terms.requests_per_minute, requests),
            tokens: rest(ask.terms.tokens_per_minute, tokens),
            parallel: rest(ask.terms.parallel, calls),
            resets_at_ms: now_ms.saturating_add(left_ms),
        });
    }
    (headroom.len() == asks.len()).then(|| Ok(headroom.into()))
}

fn exceeded(seen: &[u64], ask: &Ask<'_>, entry: &Entry, now_ms: u64) -> Option<Exceeded> {
    let terms = ask.terms;
    Some(match *seen {
        [1, left_ms] => Exceeded::Requests {
            limit: terms.requests_per_minute?,
            resets_at_ms: now_ms.saturating_add(left_ms),
        },
        [2, left_ms, used] => Exceeded::Tokens {
            limit: terms.tokens_per_minute?,
            used,
            asked: ask.demand.tokens,
            resets_at_ms: now_ms.saturating_add(left_ms),
        },
        [3] => Exceeded::Parallel { limit: terms.parallel? },
        [4, slot, spent, held] => {
            let slot = entry.budgets.get(usize::try_from(slot).ok()?.checked_sub(1)?)?;
            let cost = |nano| Cost::from_nano(i64::try_from(nano).unwrap_or(i64::MAX));
            Exceeded::Budget {
                index: slot.index,
                spent: cost(spent),
                reserved: cost(held),
                asked: Cost::from_nano(entry.nano),
                limit: terms.budgets.get(slot.index)?.limit?,
                period: slot.period,
                resets_at_ms: slot.ends_ms,
            }
        }
        _ => return None,
    })
}

fn keys_of(names: &Names, entry: &Entry) -> Vec<String> {
    let mut keys = Vec::with_capacity(2 + entry.budgets.len());
    keys.push(names.counters(&entry.account));
    keys.push(names.leases(&entry.account));
    keys.extend(entry.budgets.iter().map(|slot| names.budget(&entry.account, slot.index, slot.ends_ms)));
    keys
}

fn evalsha(script: &str, keys: usize, arguments: usize) -> Cmd {
    let mut command = Cmd::with_capacity(3 + keys + arguments, 64 * keys + 16 * arguments);
    command.arg("EVALSHA").arg(script).arg(keys);
    command
}

fn instant(command: &mut Cmd, now_ms: Option<u64>) {
    match now_ms {
        Some(now_ms) => command.arg(now_ms),
        None => command.arg(""),
    };
}

fn limit_arg(command: &mut Cmd, limit: Option<u64>) {
    match limit {
        Some(limit) => command.arg(clamped(limit)),
        None => command.arg(""),
    };
}

fn expiry(command: &mut Cmd, ends_ms: Option<u64>) {
    match ends_ms {
        // Beyond the calendar is never.
        Some(ends_ms) if ends_ms < u64::MAX / 4 => command.arg(ends_ms + LATE_MS),
        Some(_) | None => command.arg(""),
    };
}

fn clamped(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(MOST).min(MOST)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn number(value: &Value) -> Option<u64> {
    match value {
        // Money below zero, after corrections, is as good as none.
        Value::Int(number) => Some(u64::try_from(*number).unwrap_or(0)),
        _ => None,
    }
}

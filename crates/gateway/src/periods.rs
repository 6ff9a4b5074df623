//! Which budget periods a charge falls into: what the projector asks while it applies charges. An account is named
//! `<kind>:<id>`, its first budget is that of its row.

use std::sync::{Arc, Weak};

use policy::period::Calendar;
use store::entity::Kind;
use store::ledger::Charge;
use store::projector::{Target, Windows};

use crate::directory::{Account, AccountKind};
use crate::live::Live;

/// The periods of the accounts that are in force.
#[derive(Debug)]
pub struct Periods(Weak<Live>);

impl Periods {
    /// Those of one process. Does not keep it alive.
    #[must_use]
    pub fn of(live: &Arc<Live>) -> Self {
        Self(Arc::downgrade(live))
    }
}

impl Windows for Periods {
    fn of(&self, charge: &Charge<'_>) -> Vec<Target> {
        let Some(live) = self.0.upgrade() else { return Vec::new() };
        let Some(books) = live.books() else { return Vec::new() };
        let snapshot = live.snapshot();
        let calendar = &snapshot.general.calendar;
        let mut targets = Vec::new();
        let mut add = |kind, table, id: &str| {
            if let Some(account) = books.directory.account(kind, id) {
                budgets(&account, table, charge.ended_unix_ms, calendar, &mut targets);
            }
        };
        let single = [
            (AccountKind::Key, Kind::Key, &charge.caller),
            (AccountKind::User, Kind::User, &charge.user),
            (AccountKind::Team, Kind::Team, &charge.team),
            (AccountKind::Organization, Kind::Organization, &charge.organization),
            (AccountKind::Project, Kind::Project, &charge.project),
            (AccountKind::Customer, Kind::Customer, &charge.end_user),
        ];
        for (kind, table, id) in single {
            if !id.is_empty() {
                add(kind, table, id);
            }
        }
        if !charge.team.is_empty() && !charge.user.is_empty() {
            add(AccountKind::Member, Kind::TeamMember, &format!("{}/{}", charge.team, charge.user));
        }
        charge.tags.iter().for_each(|tag| add(AccountKind::Tag, Kind::Tag, tag));
        targets
    }
}

fn budgets(account: &Account, kind: Kind, at_ms: u64, calendar: &Calendar, targets: &mut Vec<Target>) {
    for (index, budget) in account.terms.budgets.iter().enumerate() {
        let end = budget.period.map(|period| calendar.next_reset(period, at_ms));
        let resets_at_ms = end.map(|end| i64::try_from(end).unwrap_or(i64::MAX));
        targets.push(match (index, budget.period) {
            (0, _) => Target::Entity { kind, id: account.id.to_string(), resets_at_ms },
            (_, period) => Target::Window {
                account: format!("{}:{}", account.kind.word(), account.id),
                period: period.map(|period| period.to_string()).unwrap_or_default(),
                resets_at_ms,
            },
        });
    }
}

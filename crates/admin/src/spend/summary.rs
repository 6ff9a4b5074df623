//! `/spend/logs` with dates: the sums of each day, days without calls among them.

use gateway::hash::key_id;
use std::collections::BTreeMap;

use axum::Json;
use gateway::directory::Identity;
use policy::money::Cost;
use serde_json::{Map, Value};
use store::db::Db;
use store::spend::daily::{By, DailyFilter, Of, Sum, SumOrder};

use super::day::Days;
use super::logs::Wanted;
use super::sight::Sight;
use super::{Answer, MOST_SUMS};

/// Days that are shown though nothing was spent.
const MOST_DAYS: usize = 400;

#[derive(Default)]
struct Day {
    spend: Cost,
    users: BTreeMap<String, Cost>,
    models: BTreeMap<String, Cost>,
    keys: BTreeMap<String, Cost>,
}

fn add(sum: &mut Cost, cost: Cost) {
    *sum = sum.saturating_add(cost);
}

fn dollars(sums: BTreeMap<String, Cost>) -> Map<String, Value> {
    sums.into_iter().map(|(name, cost)| (name, cost.as_f64().into())).collect()
}

pub(crate) async fn of_days(db: &Db, who: &Identity, wanted: &Wanted) -> Answer {
    let days = Days::asked(wanted.start_date.as_deref(), wanted.end_date.as_deref())?;
    let (mut user, mut key) = (wanted.user_id.clone(), wanted.api_key.as_deref().map(key_id));
    match Sight::of(who, None) {
        Sight::All => {}
        Sight::User(own) | Sight::Team(own) => user = Some(own),
        Sight::Key(own) => key = Some(own),
    }
    let only = user.map(|user| vec![user]);
    let keys = key.map(|key| vec![key]);
    let filter = DailyFilter {
        of: Of::User,
        from: Some(&days.from),
        to: Some(&days.to),
        only: only.as_deref(),
        api_keys: keys.as_deref(),
        ..DailyFilter::default()
    };
    let all = DailyFilter { of: if only.is_some() { Of::User } else { Of::Everything }, ..filter };
    let users = db.sums(&filter, &[By::Day, By::Entity], SumOrder::Key, 0, MOST_SUMS).await?;
    let rest = db.sums(&all, &[By::Day, By::ApiKey, By::Model], SumOrder::Key, 0, MOST_SUMS).await?;
    Ok(Json(shown(&days, &users, &rest)))
}

fn shown(days: &Days, users: &[Sum], rest: &[Sum]) -> Value {
    let mut all: BTreeMap<String, Day> =
        days.each(MOST_DAYS).into_iter().map(|day| (day, Day::default())).collect();
    for sum in users {
        let day = all.entry(sum.day.clone()).or_default();
        add(day.users.entry(sum.entity.clone()).or_default(), sum.counts.spend);
    }
    for sum in rest {
        let day = all.entry(sum.day.clone()).or_default();
        let spend = sum.counts.spend;
        add(&mut day.spend, spend);
        add(day.models.entry(sum.model.clone()).or_default(), spend);
        add(day.keys.entry(sum.api_key.clone()).or_default(), spend);
    }
    all.into_iter()
        .map(|(date, day)| {
            let mut shown = Map::new();
            shown.extend(dollars(day.keys));
            shown.insert("startTime".to_owned(), date.into());
            shown.insert("spend".to_owned(), day.spend.as_f64().into());
            shown.insert("users".to_owned(), dollars(day.users).into());
            shown.insert("models".to_owned(), dollars(day.models).into());
            Value::Object(shown)
        })
        .collect()
}

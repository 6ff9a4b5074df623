//! What a key may be given: within what its maker has, what its team has, and what the configuration allows.

use policy::bounds::Grant;
use policy::money::Cost;
use policy::period::Period;
use serde_json::Value;
use store::entity::{Filter, KeyFields, Object, Record, TeamFields};

use crate::access::Refused;
use crate::operator::{Edit, Operator, bad, forbidden};
use crate::terms;

/// What only an administrator may say of a key.
const ADMINS_ONLY: [&str; 4] =
    ["permissions", "throttle_on_budget_exceeded", "spend", "temp_budget_increase"];

/// Goes on only if nothing is sent that is an administrator's to say.
pub(super) fn check_sender(operator: &Operator, sent: &Object) -> Result<(), Refused> {
    if operator.is_admin() {
        return Ok(());
    }
    let empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Object(object) => object.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Bool(true) | Value::String(_) | Value::Array(_) => false,
    };
    match ADMINS_ONLY.iter().find(|name| sent.get(**name).is_some_and(|value| !empty(value))) {
        Some(name) => Err(forbidden(name, format!("Only proxy admins can set `{name}` on a key."))),
        None => Ok(()),
    }
}

/// Fills what was not sent from `default_key_generate_params`, then from `upperbound_key_generate_params`.
pub(super) fn fill(operator: &Operator, sent: &mut Object) {
    let general = &operator.gateway.live.snapshot().general;
    for (name, value) in general.key_defaults.iter().chain(&general.key_upperbounds) {
        let absent = match sent.get(name) {
            None | Some(Value::Null) => true,
            Some(Value::Array(list)) => list.is_empty(),
            Some(Value::Object(object)) => object.is_empty(),
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => false,
        };
        if absent {
            sent.insert(name.clone(), value.clone());
        }
    }
}

/// Goes on only if nothing that was sent is above `upperbound_key_generate_params`. What is cleared on a key that is
/// there, and what lasts for ever, is above any bound.
pub(super) fn check_upperbounds(operator: &Operator, sent: &Object, new: bool) -> Result<(), Refused> {
    let general = &operator.gateway.live.snapshot().general;
    for (name, most) in &general.key_upperbounds {
        let cleared = !new && sent.get(name).is_some_and(Value::is_null);
        let endless = name == "duration"
            && (sent.get(name).and_then(Value::as_str) == Some("-1") || sent.contains_key("expires"));
        if cleared || endless {
            return Err(bad(name, format!("{name} is over max limit set in config - max_value={most}")));
        }
        let Some(value) = sent.get(name).filter(|value| !value.is_null()) else { continue };
        let over = match (value.as_str(), most.as_str()) {
            (Some(value), Some(most)) => match (Period::parse(value), Period::parse(most)) {
                (Ok(value), Ok(most)) => value.after(0) > most.after(0),
                _ => false,
            },
            _ => {
                matches!((Cost::from_json(value), Cost::from_json(most)), (Ok(value), Ok(most)) if value > most)
            }
        };
        if over {
            return Err(bad(
                name,
                format!("{name} is over max limit set in config - user_value={value}; max_value={most}"),
            ));
        }
    }
    Ok(())
}

/// Goes on only if what a key is given is within what its maker, or the team whose admin they are, has.
pub(super) fn check_grant(
    operator: &Operator,
    fields: &mut KeyFields,
    team: Option<&Record<TeamFields>>,
) -> Result<(), Refused> {
    if operator.is_admin() {
        return Ok(());
    }
    let identity = &operator.who.0;
    let of_team = team.map(|team| terms::grant(&team.fields.models, &team.fields.limits));
    let most = Grant { routes: &identity.routes, ..of_team.unwrap_or_else(|| terms::own(identity)) };
    if fields.models.iter().any(|model| model == "all-team-models") {
        if team.is_none() {
            return Err(bad("models", "models: all-team-models needs a team_id"));
        }
    } else {
        terms::fill(&mut fields.models, &mut fields.limits, &most);
    }
    if fields.allowed_routes.is_empty() {
        fields.allowed_routes = most.routes.to_vec();
    }
    let models: Vec<String> =
        fields.models.iter().filter(|model| *model != "all-team-models").cloned().collect();
    let off = fields.metadata.get("disable_global_guardrails") == Some(&Value::Bool(true));
    let all_of_team = models.len() < fields.models.len() && models.is_empty();
    let granted = Grant {
        routes: &fields.allowed_routes,
        guardrails_off: off,
        ..terms::grant(if all_of_team { most.models } else { &models }, &fields.limits)
    };
    terms::permitted(&granted, &most, if team.is_some() { "the team" } else { "whoever makes the key" })
}

/// Goes on only if a new key has no switch that only an administrator may set.
pub(super) fn check_switches(operator: &Operator, fields: &KeyFields) -> Result<(), Refused> {
    match terms::loosened(&Object::new(), &fields.metadata).filter(|_| !operator.is_admin()) {
        Some(switch) => Err(forbidden(switch, format!("Only proxy admins can set `{switch}` on a key."))),
        None => Ok(()),
    }
}

/// Goes on only if a key's owner takes nothing back that was set on it: whoever manages the key may, within what the
/// team has.
pub(super) fn check_owner(operator: &Operator, before: &KeyFields, after: &KeyFields) -> Result<(), Refused> {
    let identity = &operator.who.0;
    if operator.is_admin() {
        return Ok(());
    }
    if let Some(switch) = terms::loosened(&before.metadata, &after.metadata) {
        return Err(forbidden(switch, format!("Only proxy admins can change `{switch}` of a key.")));
    }
    let team = before.team_id.as_ref();
    let of_team = team.is_some_and(|team| identity.teams.iter().any(|seat| seat.team == *team && seat.admin));
    let organization = before.organization_id.as_ref();
    let of_organization =
        organization.is_some_and(|own| identity.organizations.iter().any(|(id, admin)| id == own && *admin));
    if of_team || of_organization {
        return Ok(());
    }
    let most = Grant { routes: &before.allowed_routes, ..terms::grant(&before.models, &before.limits) };
    let granted = Grant { routes: &after.allowed_routes, ..terms::grant(&after.models, &after.limits) };
    terms::permitted(&granted, &most, "what the key has")?;
    let (old, new) = (&before.limits, &after.limits);
    let later = match (before.expires, after.expires) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(before), Some(after)) => after > before,
    };
    let changes = [
        ("blocked", before.blocked && !after.blocked),
        ("duration", later),
        ("budget_id", before.budget_id.is_some() && before.budget_id != after.budget_id),
        ("budget_duration", old.max_budget.is_some() && old.budget_duration != new.budget_duration),
        ("budget_limits", !old.budget_limits.is_empty() && old.budget_limits != new.budget_limits),
        (
            "model_max_budget",
            !old.model_max_budget.is_empty() && old.model_max_budget != new.model_max_budget,
        ),
        ("model_rpm_limit", !old.model_rpm_limit.is_empty() && old.model_rpm_limit != new.model_rpm_limit),
        ("model_tpm_limit", !old.model_tpm_limit.is_empty() && old.model_tpm_limit != new.model_tpm_limit),
        ("allowed_ips", !before.allowed_ips.is_empty() && before.allowed_ips != after.allowed_ips),
        ("access_group_ids", before.access_group_ids != after.access_group_ids),
    ];
    match changes.iter().find(|(_, changed)| *changed) {
        Some((field, _)) => {
            Err(forbidden(field, format!("{field}: only an admin can loosen what is set on a key.")))
        }
        None => Ok(()),
    }
}

/// Reads a limit.
type Reader = fn(&KeyFields) -> Option<u64>;

/// Goes on only if limits that are guaranteed do not add up to more than the team has.
pub(super) async fn check_guaranteed(
    edit: &mut Edit,
    id: Option<&str>,
    fields: &KeyFields,
    team: Option<&Record<TeamFields>>,
) -> Result<(), Refused> {
    let Some(team) = team else { return Ok(()) };
    let guaranteed = |fields: &KeyFields, name: &str| {
        fields.metadata.get(name).and_then(Value::as_str) == Some("guaranteed_throughput")
    };
    let kinds: [(&str, &str, Reader, Option<u64>); 2] = [
        ("rpm_limit", "rpm_limit_type", |fields| fields.limits.rpm_limit, team.fields.limits.rpm_limit),
        ("tpm_limit", "tpm_limit_type", |fields| fields.limits.tpm_limit, team.fields.limits.tpm_limit),
    ];
    for (field, kind, read, most) in kinds {
        let (Some(asked), Some(most)) = (read(fields), most) else { continue };
        if !guaranteed(fields, kind) {
            continue;
        }
        let others = edit.find::<KeyFields>(&Filter { team_id: Some(&team.id), ..Filter::default() }).await?;
        let given: u64 = others
            .iter()
            .filter(|key| Some(key.id.as_str()) != id && guaranteed(&key.fields, kind))
            .filter_map(|key| read(&key.fields))
            .sum();
        if given.saturating_add(asked) > most {
            return Err(bad(
                field,
                format!(
                    "Allocated {field} = {given} + Key {field} = {asked} is greater than team {field} = {most}"
                ),
            ));
        }
    }
    Ok(())
}

use std::collections::HashSet;

use super::*;

const NONE: &[String] = &[];

fn member<'a>(id: &'a str, role: Role, permissions: &'a [String]) -> Membership<'a> {
    Membership { id, role, permissions }
}

fn actor(role: Role) -> Actor<'static> {
    Actor { role, master: false, user: None, teams: &[], organizations: &[], key: None, key_team: None }
}

/// A user's own, one of team `t1`, one of organization `o1`, one of neither.
const OBJECTS: [(char, Object<'static>); 4] = [
    ('O', Object { owner: Some("u1"), team: None, organization: None, key: Some("k1") }),
    ('T', Object { owner: Some("u9"), team: Some("t1"), organization: None, key: Some("k2") }),
    ('G', Object { owner: Some("u9"), team: Some("t9"), organization: Some("o1"), key: Some("k3") }),
    ('F', Object { owner: Some("u9"), team: Some("t8"), organization: Some("o8"), key: Some("k4") }),
];

/// For which of the objects somebody may call a route: their letters.
fn allowed(method: &str, path: &str, actor: &Actor<'_>) -> String {
    let rule = rule(method, path).unwrap_or_else(|| panic!("{method} {path} has no rule"));
    OBJECTS.iter().filter(|(_, object)| may(rule, actor, object)).map(|(letter, _)| *letter).collect()
}

#[test]
fn who_may_do_what_to_which_object() {
    let permissions =
        ["/key/generate", "/key/update", "/key/{key_id}/regenerate", "/key/info"].map(str::to_owned);
    let leads_organization = [member("o1", Role::OrgAdmin, NONE)];
    let in_organization = [member("o1", Role::InternalUser, NONE)];
    let leads_team = [member("t1", Role::TeamAdmin, NONE)];
    let in_team = [member("t1", Role::TeamMember, NONE)];
    let permitted = [member("t1", Role::TeamMember, &permissions)];
    let actors = [
        actor(Role::ProxyAdmin),
        actor(Role::ProxyAdminViewer),
        Actor { user: Some("u2"), organizations: &leads_organization, ..actor(Role::OrgAdmin) },
        Actor { user: Some("u3"), teams: &leads_team, ..actor(Role::InternalUser) },
        Actor { user: Some("u4"), teams: &in_team, ..actor(Role::InternalUser) },
        Actor { user: Some("u5"), teams: &permitted, ..actor(Role::InternalUser) },
        Actor { user: Some("u1"), organizations: &in_organization, ..actor(Role::InternalUser) },
        Actor { user: Some("u1"), organizations: &in_organization, ..actor(Role::InternalViewer) },
        Actor { key: Some("k1"), key_team: Some("t1"), ..actor(Role::InternalUser) },
        actor(Role::Customer),
    ];
    // admin, its viewer, admin of an organization, admin of a team, member, member with permissions, user,
    // viewer, key without user, customer
    let table: &[(&str, &str, [&str; 10])] = &[
        ("GET", "/key/info", ["OTGF", "OTGF", "G", "T", "T", "T", "O", "O", "O", ""]),
        ("POST", "/key/generate", ["OTGF", "", "G", "T", "", "T", "O", "", "", ""]),
        ("POST", "/key/service-account/generate", ["OTGF", "", "G", "T", "", "", "", "", "", ""]),
        ("POST", "/key/update", ["OTGF", "", "G", "T", "", "T", "O", "", "", ""]),
        ("POST", "/key/sk-1/regenerate", ["OTGF", "", "G", "T", "", "T", "O", "", "", ""]),
        ("POST", "/key/delete", ["OTGF", "", "G", "T", "", "", "O", "", "", ""]),
        ("POST", "/key/block", ["OTGF", "", "G", "T", "", "", "", "", "", ""]),
        ("POST", "/key/sk-1/reset_spend", ["OTGF", "", "G", "T", "", "", "", "", "", ""]),
        ("GET", "/key/list", ["OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", ""]),
        ("POST", "/key/health", ["OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", ""]),
        ("POST", "/key/bulk_update", ["OTGF", "", "", "", "", "", "", "", "", ""]),
        ("POST", "/user/new", ["OTGF", "", "G", "", "", "", "", "", "", ""]),
        ("GET", "/user/info", ["OTGF", "OTGF", "G", "", "", "", "O", "O", "", ""]),
        ("POST", "/user/update", ["OTGF", "", "", "", "", "", "O", "O", "", ""]),
        ("POST", "/user/delete", ["OTGF", "", "G", "", "", "", "", "", "", ""]),
        ("GET", "/user/list", ["OTGF", "OTGF", "OTGF", "", "", "", "", "", "", ""]),
        ("GET", "/user/daily/activity", ["OTGF", "OTGF", "", "", "", "", "O", "O", "", ""]),
        ("POST", "/team/new", ["OTGF", "", "G", "", "", "", "O", "", "", ""]),
        ("POST", "/team/update", ["OTGF", "", "G", "T", "", "", "", "", "", ""]),
        ("PATCH", "/team/t1", ["OTGF", "", "G", "T", "", "", "", "", "", ""]),
        ("POST", "/team/delete", ["OTGF", "", "G", "", "", "", "", "", "", ""]),
        ("POST", "/team/block", ["OTGF", "", "", "", "", "", "", "", "", ""]),
        ("GET", "/team/info", ["OTGF", "OTGF", "G", "T", "T", "T", "", "", "T", ""]),
        ("POST", "/team/member_add", ["OTGF", "", "G", "T", "", "", "", "", "", ""]),
        ("GET", "/team/daily/activity", ["OTGF", "OTGF", "G", "T", "T", "T", "", "", "", ""]),
        ("POST", "/organization/new", ["OTGF", "", "", "", "", "", "", "", "", ""]),
        ("PATCH", "/organization/update", ["OTGF", "", "G", "", "", "", "", "", "", ""]),
        ("DELETE", "/organization/delete", ["OTGF", "", "", "", "", "", "", "", "", ""]),
        ("GET", "/organization/info", ["OTGF", "OTGF", "G", "", "", "", "G", "G", "", ""]),
        ("POST", "/project/new", ["OTGF", "", "G", "T", "", "", "", "", "", ""]),
        ("POST", "/customer/new", ["OTGF", "", "", "", "", "", "", "", "", ""]),
        ("GET", "/customer/info", ["OTGF", "OTGF", "", "", "", "", "", "", "", ""]),
        ("POST", "/budget/info", ["OTGF", "", "", "", "", "", "", "", "", ""]),
        ("GET", "/spend/logs", ["OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", ""]),
        ("GET", "/global/spend", ["OTGF", "OTGF", "", "", "", "", "", "", "", ""]),
        ("POST", "/global/spend/reset", ["", "", "", "", "", "", "", "", "", ""]),
        ("POST", "/model/new", ["OTGF", "", "", "T", "", "", "", "", "", ""]),
        ("PATCH", "/model/m-1/update", ["OTGF", "", "", "T", "", "", "", "", "", ""]),
        ("POST", "/model/block", ["OTGF", "", "", "", "", "", "", "", "", ""]),
        (
            "GET",
            "/v1/models",
            ["OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF"],
        ),
        ("POST", "/apply_guardrail", ["OTGF", "", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "", "OTGF", ""]),
        ("POST", "/guardrails/register", ["OTGF", "", "", "OTGF", "", "", "", "", "", ""]),
        ("GET", "/health", ["OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", ""]),
        ("POST", "/config/update", ["OTGF", "", "", "", "", "", "", "", "", ""]),
        ("GET", "/config/yaml", ["OTGF", "OTGF", "", "", "", "", "", "", "", ""]),
        ("GET", "/metrics/", ["OTGF", "OTGF", "", "", "", "", "", "", "", ""]),
        (
            "GET",
            "/health/liveliness",
            ["OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF", "OTGF"],
        ),
    ];
    for (method, path, expected) in table {
        let found = actors.each_ref().map(|actor| allowed(method, path, actor));
        assert_eq!(found.each_ref().map(String::as_str), *expected, "{method} {path}");
    }
}

#[test]
fn a_role_is_known_by_its_name_and_no_other_is_taken_for_one() {
    for (name, expected) in [
        ("proxy_admin", Some(Role::ProxyAdmin)),
        ("proxy_admin_viewer", Some(Role::ProxyAdminViewer)),
        ("org_admin", Some(Role::OrgAdmin)),
        ("internal_user", Some(Role::InternalUser)),
        ("internal_user_viewer", Some(Role::InternalViewer)),
        ("team", Some(Role::Customer)),
        ("customer", Some(Role::Customer)),
        ("Proxy_Admin", None),
        ("admin", None),
        ("", None),
    ] {
        assert_eq!(Role::parse(name), expected, "{name:?}");
    }
}

#[test]
fn only_the_master_key_resets_all_spend() {
    let master = Actor { master: true, ..actor(Role::ProxyAdmin) };
    assert_eq!(allowed("POST", "/global/spend/reset", &master), "OTGF");
}

#[test]
fn a_viewer_of_everything_may_change_themselves() {
    let viewer = Actor { user: Some("u1"), ..actor(Role::ProxyAdminViewer) };
    assert_eq!(allowed("POST", "/user/update", &viewer), "O");
    assert_eq!(allowed("POST", "/key/update", &viewer), "");
}

#[test]
fn what_is_personal_is_of_no_team_and_no_foreign_organization() {
    let organizations = [member("o1", Role::InternalUser, NONE)];
    let user = Actor { user: Some("u1"), organizations: &organizations, ..actor(Role::InternalUser) };
    let generate = rule("POST", "/key/generate").unwrap();
    let of = |team, organization| Object { owner: Some("u1"), team, organization, key: None };
    assert!(may(generate, &user, &of(None, None)));
    assert!(may(generate, &user, &of(None, Some("o1"))));
    assert!(!may(generate, &user, &of(None, Some("o8"))));
    assert!(!may(generate, &user, &of(Some("t1"), None)));
}

#[test]
fn what_is_unknown_belongs_to_nobody() {
    let nobody = Actor { user: None, ..actor(Role::InternalUser) };
    for (method, path) in
        [("GET", "/key/info"), ("POST", "/key/update"), ("GET", "/team/info"), ("GET", "/user/info")]
    {
        assert!(!may(rule(method, path).unwrap(), &nobody, &Object::default()), "{method} {path}");
    }
}

#[test]
fn unknown_routes_are_nobodys() {
    for (method, path) in [
        ("POST", "/key/unheard-of"),
        ("DELETE", "/key/generate"),
        ("GET", "/key/generate"),
        ("POST", "/v1/chat/completions"),
        ("POST", "/key/a/b/regenerate"),
        ("POST", "/key//regenerate"),
        ("get", "/key/info"),
        ("POST", "/anything/token"),
        ("GET", ""),
        ("GET", "//"),
    ] {
        assert!(rule(method, path).is_none(), "{method} {path}");
    }
}

#[test]
fn the_closest_template_counts() {
    for (method, path, expected) in [
        ("GET", "/guardrails/list", "/guardrails/list"),
        ("GET", "/guardrails/g-1", "/guardrails/{guardrail_id}"),
        ("HEAD", "/guardrails/g-1/info/", "/guardrails/{guardrail_id}/info"),
        ("OPTIONS", "/health/readiness", "/health/readiness"),
        ("GET", "/", "/"),
        ("GET", "/v1/models/openai/gpt-5", "/v1/models/{*model_id}"),
        ("POST", "/key/regenerate", "/key/regenerate"),
        ("GET", "/policies/attachments/list", "/policies/attachments/list"),
        ("GET", "/policies/name/a/versions", "/policies/name/{policy_name}/versions"),
    ] {
        assert_eq!(rule(method, path).map(|rule| rule.path), Some(expected), "{method} {path}");
    }
}

#[test]
fn every_row_is_reached_and_none_is_written_twice() {
    let mut seen = HashSet::new();
    for row in RULES {
        assert!(seen.insert((row.method, row.path)), "{} {} is written twice", row.method, row.path);
        let path = row.path.replace(['{', '}', '*'], "");
        let found = rule(row.method, &path).unwrap_or_else(|| panic!("{} {path} is not found", row.method));
        assert_eq!(found.path, row.path);
    }
}

#[test]
fn no_role_gets_more_than_it_is_for() {
    let teams = [member("t1", Role::TeamAdmin, NONE)];
    let organizations = [member("o1", Role::OrgAdmin, NONE)];
    let everything = Actor {
        user: Some("u1"),
        teams: &teams,
        organizations: &organizations,
        key: Some("k1"),
        key_team: Some("t1"),
        ..actor(Role::InternalUser)
    };
    let foreign = OBJECTS[3].1;
    for row in RULES {
        let name = format!("{} {}", row.method, row.path);
        let open = row.has(who::ANYONE | who::CALLERS | who::KEYS);
        let unchanging = row.is_reading() || row.has(who::ANYONE | who::HARMLESS);
        for (letter, object) in OBJECTS {
            assert!(may(row, &actor(Role::ProxyAdmin), &object) || row.has(who::MASTER), "{name} {letter}");
            for reader in [Role::ProxyAdminViewer, Role::InternalViewer] {
                assert!(
                    unchanging || !may(row, &Actor { role: reader, ..everything }, &object),
                    "{name} {letter}"
                );
            }
            let customer = may(row, &Actor { role: Role::Customer, ..everything }, &object);
            assert_eq!(customer, row.has(who::ANYONE | who::CALLERS), "{name} {letter}");
        }
        let narrowed = row.has(who::SOME_TEAM | who::SOME_ORGANIZATION);
        assert!(open || narrowed || !may(row, &everything, &foreign), "{name} on what is foreign");
    }
}

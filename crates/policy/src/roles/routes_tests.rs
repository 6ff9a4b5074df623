use super::*;

#[test]
fn a_list_allows_paths_wildcards_templates_and_groups() {
    for (entries, path, expected) in [
        (&[][..], "/anything", true),
        (&["*"], "/anything", true),
        (&["/key/info"], "/key/info", true),
        (&["/key/info"], "/key/info/", true),
        (&["/key/info"], "/key/list", false),
        (&["/key/info", "/key/list"], "/key/list", true),
        (&["/v1/chat/completions"], "/chat/completions", false),
        (&["/key/*"], "/key/sk-1/regenerate", true),
        (&["/key/*"], "/keys", false),
        (&["/key/*"], "/key", false),
        (&["/files/{file_id}/content"], "/files/f-1/content", true),
        (&["/files/{file_id}/content"], "/files/f-1", false),
        (&["/{provider}/v1/*"], "/azure/v1/files/f-1", true),
        (&["/{provider}/v1/*"], "/azure/v2/files", false),
        (&["llm_api_routes"], "/v1/chat/completions", true),
        (&["llm_api_routes"], "/engines/openai/gpt-5/embeddings", true),
        (&["llm_api_routes"], "/v1/messages/count_tokens", true),
        (&["llm_api_routes"], "/v1beta/models/gemini-3:streamGenerateContent", true),
        (&["llm_api_routes"], "/bedrock/model/x/invoke", true),
        (&["llm_api_routes"], "/mcp", true),
        (&["llm_api_routes"], "/azure/v1/batches/b-1/cancel", true),
        (&["llm_api_routes"], "/key/generate", false),
        (&["llm_api_routes"], "/config/update", false),
        (&["llm_api_routes_without_mcp"], "/mcp", false),
        (&["openai_routes"], "/v1/messages", false),
        (&["anthropic_routes"], "/v1/messages", true),
        (&["google_routes"], "/models/gemini-3:generateContent", true),
        (&["google_routes"], "/models/gemini-3", false),
        (&["management_routes"], "/key/generate", true),
        (&["management_routes"], "/team/member_add", true),
        (&["management_routes"], "/v1/chat/completions", false),
        (&["management_routes"], "/config/update", false),
        (&["key_management_routes"], "/user/new", false),
        (&["info_routes"], "/key/info", true),
        (&["info_routes"], "/v1/models/openai/gpt-5", true),
        (&["info_routes"], "/key/generate", false),
        (&["model_info_routes"], "/v2/model/info", true),
        (&["spend_tracking_routes"], "/spend/logs/ui/r-1", true),
        (&["spend_tracking_routes"], "/global/spend", false),
        (&["global_spend_tracking_routes"], "/global/spend/models", true),
        (&["global_spend_tracking_routes"], "/global/spend/reset", false),
        (&["internal_user_routes"], "/key/generate", true),
        (&["internal_user_routes"], "/spend/logs", true),
        (&["internal_user_routes"], "/team/new", false),
        (&["internal_user_view_only_routes"], "/key/generate", false),
        (&["public_routes"], "/health/readiness", true),
        (&["public_routes"], "/health", false),
        (&["mcp_routes"], "/github/mcp", true),
        (&["mapped_pass_through_routes"], "/vertex-ai/v1/projects", true),
        (&["llm_api_routes", "/key/info"], "/key/info", true),
        (&["no_such_group"], "/no_such_group", false),
        (&["no_such_group"], "no_such_group_either", false),
    ] {
        assert_eq!(RouteList::new(entries).allows(path), expected, "{entries:?} on {path}");
    }
}

#[test]
fn a_wildcard_is_not_led_up_the_path() {
    let list = RouteList::new(&["/openai/*"]);
    for path in ["/openai/../key/generate", "/openai/%2e%2E/key/generate", "/openai/.%2e/x", "/openai/./x"] {
        assert!(!list.allows(path), "{path}");
    }
    for path in ["/openai/files/.env", "/openai/a..b", "/openai/caf%C3%A9", "/openai/..."] {
        assert!(list.allows(path), "{path}");
    }
}

#[test]
fn what_says_nothing_can_be_told_from_what_does() {
    for (entry, expected) in [
        ("/key/info", true),
        ("/x/*", true),
        ("*", true),
        ("llm_api_routes", true),
        ("public_routes", true),
        ("llm_api_route", false),
        ("", false),
    ] {
        assert_eq!(RouteList::is_known(entry), expected, "{entry}");
    }
}

#[test]
fn every_group_says_something_and_names_only_what_exists() {
    for (name, members) in GROUPS {
        assert!(!members.is_empty() && !entries_of(name).is_empty(), "{name}");
        for member in *members {
            assert!(RouteList::is_known(member), "{member} in {name}");
        }
    }
}

#[test]
fn a_list_covers_entries_of_which_it_allows_all() {
    for (entries, entry, expected) in [
        (&[][..], "*", true),
        (&["/key/*"], "/key/*", true),
        (&["/key/*"], "/key/info", true),
        (&["/key/*"], "/key/{key}/regenerate", true),
        (&["/key/*"], "/*", false),
        (&["/key/*"], "*", false),
        (&["/key/{key}/regenerate"], "/key/{other}/regenerate", true),
        (&["/key/{key}/regenerate"], "/key/*", false),
        (&["/key/{key}/regenerate"], "/key/sk-1/regenerate", true),
        (&["key_management_routes"], "key_management_routes", true),
        (&["management_routes"], "key_management_routes", true),
        (&["key_management_routes"], "management_routes", false),
        (&["/key/*", "/v2/key/*", "/team/*"], "key_management_routes", true),
        (&["/key/*", "/v2/key/*"], "key_management_routes", false),
        (&["llm_api_routes"], "/bedrock/*", true),
        (&["llm_api_routes"], "/v1/chat/completions", true),
        (&["llm_api_routes"], "/{provider}/v1/files/{file_id}", false),
        (&["llm_api_routes"], "/key/info", false),
        (&["llm_api_routes"], "no_such_group", false),
    ] {
        assert_eq!(RouteList::new(entries).covers(entry), expected, "{entries:?} over {entry}");
    }
}

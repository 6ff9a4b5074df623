//! What may not stand in parameters that came over the network.

use serde_json::{Value, json};

use super::{closed, own_keys_only};

fn object(value: Value) -> store::entity::Object {
    value.as_object().unwrap().clone()
}

#[test]
fn variables_and_files_of_the_process_are_not_named() {
    for (params, named) in [
        (json!({"api_key": "os.environ/OPENAI_API_KEY"}), "api_key"),
        (json!({"api_base": " os.environ/X"}), "api_base"),
        (json!({"extra_headers": {"x-a": "os.environ/X"}}), "x-a"),
        (json!({"aws_web_identity_token": "oidc/env/LITELLM_MASTER_KEY"}), "aws_web_identity_token"),
        (json!({"azure_ad_token": "oidc/file//etc/passwd"}), "azure_ad_token"),
        (json!({"vertex_credentials": "/etc/passwd"}), "vertex_credentials"),
        (json!({"oci_key_file": "/root/.oci/key.pem"}), "oci_key_file"),
    ] {
        let refused = closed(&object(params)).unwrap_err();
        assert_eq!((refused.0.status, refused.0.param.as_deref()), (400, Some(named)));
    }
    let plain = json!({"model": "openai/gpt-4o", "api_key": "sk-1", "vertex_credentials": "{\"type\": \"service_account\"}"});
    assert!(closed(&object(plain)).is_ok());
}

#[test]
fn an_address_of_somebodys_own_gets_no_key_of_the_gateway() {
    for params in [
        json!({"model": "openai/m", "api_base": "https://evil.example"}),
        json!({"model": "openai/m", "base_url": "https://evil.example", "api_key": ""}),
        json!({"model": "openai/m", "litellm_credential_name": "shared", "api_key": "sk-1"}),
    ] {
        assert!(own_keys_only(&object(params)).is_err());
    }
    assert!(own_keys_only(&object(json!({"api_base": "https://ours.example", "api_key": "sk-1"}))).is_ok());
    assert!(own_keys_only(&object(json!({"model": "openai/m", "api_key": "sk-1"}))).is_ok());
}

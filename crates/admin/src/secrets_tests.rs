use serde_json::json;

use super::{mask, unmask};

#[test]
fn a_masked_row_shows_settings_but_no_secret() {
    let mut masked = json!({"password": "scrypt:x", "metadata": {"logging": [{"callback_name": "langfuse", "callback_vars": {
        "langfuse_public_key": "pk-1", "langfuse_secret_key": "sk-1", "langfuse_host": "https://h",
        "gcs_path": "os.environ/GCS", "api_key": "os.environ/KEY"}}]}});
    mask(&mut masked);
    assert_eq!(
        masked,
        json!({"metadata": {"logging": [{"callback_name": "langfuse", "callback_vars": {
            "langfuse_public_key": "pk-1", "langfuse_secret_key": "*****", "langfuse_host": "https://h",
            "gcs_path": "os.environ/GCS", "api_key": "os.environ/KEY"}}]}})
    );
}

#[test]
fn a_masked_row_that_is_written_back_changes_no_secret() {
    let row = json!({"logging": [{"callback_vars": {"a_secret": "one", "b_secret": "two"}}]});
    let mut sent = row.clone();
    mask(&mut sent);
    sent["logging"][0]["callback_vars"]["b_secret"] = json!("new");
    unmask(&mut sent, &row);
    assert_eq!(sent, json!({"logging": [{"callback_vars": {"a_secret": "one", "b_secret": "new"}}]}));
}

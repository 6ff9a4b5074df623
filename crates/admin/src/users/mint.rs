//! The key that is made with a user.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateway::refusal::Refusal;
use store::entity::{KeyFields, Record};

use crate::access::Refused;
use crate::operator::Edit;

/// Random bytes of a key.
const BYTES: usize = 16;

/// Makes a key. Returns its text, which is kept nowhere, and its row.
pub(crate) async fn mint(
    edit: &mut Edit,
    mut fields: KeyFields,
) -> Result<(String, Record<KeyFields>), Refused> {
    let mut bytes = [0; BYTES];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        return Err(Refusal::new(500, "The system has no random numbers.").into());
    }
    let text = format!("sk-{}", URL_SAFE_NO_PAD.encode(bytes));
    let last = text.get(text.len().saturating_sub(4)..).unwrap_or_default();
    fields.key_name = Some(format!("sk-...{last}"));
    let hash: String =
        digest(&SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let key = edit.record(hash, fields);
    edit.add(&key).await?;
    Ok((text, key))
}

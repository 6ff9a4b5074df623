//! New keys: their text, their hash, their row.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateway::hash::key_id;
use gateway::refusal::Refusal;
use store::entity::{KeyFields, Record};

use crate::access::Refused;
use crate::operator::{Edit, bad, forbidden};

/// Random bytes of a key.
const BYTES: usize = 16;
/// A key that somebody thought of must have so many characters.
const FEWEST_CHARACTERS: usize = 16;

/// Makes a key of random bytes. Returns its text and its row.
pub(crate) async fn mint(edit: &mut Edit, fields: KeyFields) -> Result<(String, Record<KeyFields>), Refused> {
    let text = random()?;
    let key = add(edit, &text, fields).await?;
    Ok((text, key))
}

/// Adds the row of a key of this text.
pub(super) async fn add(
    edit: &mut Edit,
    text: &str,
    mut fields: KeyFields,
) -> Result<Record<KeyFields>, Refused> {
    fields.key_name = Some(name(text));
    let hash = key_id(text);
    if edit.get::<KeyFields>(&hash).await?.is_some() {
        return Err(bad("key", "Key already exists. Send another one, or none to have one made."));
    }
    let key = edit.record(hash, fields);
    edit.add(&key).await?;
    Ok(key)
}

/// The text of a new key.
pub(super) fn random() -> Result<String, Refused> {
    let mut bytes = [0; BYTES];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        return Err(Refusal::new(500, "The system has no random numbers.").into());
    }
    Ok(format!("sk-{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// Goes on only with a text that may be a key.
pub(super) fn check(field: &str, text: &str, allowed: bool) -> Result<(), Refused> {
    if !allowed {
        return Err(forbidden(field, "Custom API key values are disabled by your administrator."));
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if !text.starts_with("sk-") || text.len() < FEWEST_CHARACTERS || text.len() > 512 || !plain {
        return Err(bad(
            field,
            format!(
                "Invalid key format. LiteLLM Virtual Key must start with 'sk-' and have {FEWEST_CHARACTERS} to 512 \
                 printable characters."
            ),
        ));
    }
    Ok(())
}

/// Enough of a key to recognise it.
pub(super) fn name(text: &str) -> String {
    let last = text.get(text.len().saturating_sub(4)..).unwrap_or_default();
    format!("sk-...{last}")
}

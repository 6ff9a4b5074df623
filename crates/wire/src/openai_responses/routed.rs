//! Ids of responses that a provider keeps, as callers see them: they carry which deployment made the response, so
//! that whoever is asked later, on whatever machine, asks the same one.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// Marks ids made here, and their version.
const MARK: &str = "tg1";

/// Where a response is kept, and under which id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    /// The id of the deployment.
    pub deployment: String,
    /// The provider's id.
    pub id: String,
}

impl Routed {
    /// The id for callers.
    #[must_use]
    pub fn sealed(deployment: &str, id: &str) -> String {
        format!("resp_{}", BASE64_URL_SAFE_NO_PAD.encode(format!("{MARK}\n{deployment}\n{id}")))
    }

    /// Reads an id that a caller names; `None` when it was not made by [`Self::sealed`].
    #[must_use]
    pub fn open(id: &str) -> Option<Self> {
        let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(id.strip_prefix("resp_")?).ok()?).ok()?;
        let mut lines = text.splitn(3, '\n');
        let (mark, deployment, id) = (lines.next()?, lines.next()?, lines.next()?);
        // The id becomes part of a path.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let usable = !id.is_empty() && id.len() <= 512 && id.bytes().all(plain) && !id.starts_with('.');
        (mark == MARK && usable).then(|| Self { deployment: deployment.to_owned(), id: id.to_owned() })
    }
}

#[cfg(test)]
#[path = "routed_tests.rs"]
mod tests;

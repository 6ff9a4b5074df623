//! How a key is shown to an upstream, or which sign-in turns it into something that can be shown. Not here: the
//! sign-ins themselves, which need a network and a clock.

/// How a key is shown to the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// The same, with a header that says which kind of key it is. A programmatic access token has `pat/` before it,
    /// which is not sent; anything else is a signed token (JWT).
    Snowflake,
    /// `Authorization: SCHEME KEY`.
    Scheme(&'static str),
    /// The key alone, in a header of this name.
    Header(&'static str),
    /// Azure OpenAI: depends on the API asked for. [`super::address::address`] decides.
    Azure,
    /// The key is not shown: it signs requests or is exchanged for a token.
    SignIn(SignIn),
    /// No key is sent.
    None,
}

/// What must be done with credentials before a request can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// IBM Cloud: an API key is exchanged at `https://iam.cloud.ibm.com/identity/token` (grant type
    /// `urn:ibm:params:oauth:grant-type:apikey`) for a bearer token with an expiry.
    Ibm,
    /// Amazon: each request is signed (see [`crate::sigv4`]) for this service.
    Aws { service: &'static str },
    /// Google Cloud: an OAuth token with an expiry, sent as a bearer token.
    Google,
    /// Oracle Cloud: each request is signed, see [`crate::oracle::signature`].
    Oracle,
}

impl SignIn {
    /// Whose sign-in it is, for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ibm => "IBM Cloud (IAM)",
            Self::Aws { .. } => "AWS (SigV4)",
            Self::Google => "Google Cloud (OAuth)",
            Self::Oracle => "Oracle Cloud (request signatures)",
        }
    }
}

impl Auth {
    /// The header that carries `key`: its name in lower case, and its value, which is as secret as the key.
    /// `None` when no key is sent, or not as it is.
    #[must_use]
    pub fn header(self, key: &str) -> Option<(&'static str, String)> {
        match self {
            Self::Bearer => Some(("authorization", format!("Bearer {key}"))),
            Self::Snowflake => {
                Some(("authorization", format!("Bearer {}", key.strip_prefix("pat/").unwrap_or(key))))
            }
            Self::Scheme(scheme) => Some(("authorization", format!("{scheme} {key}"))),
            Self::Header(name) => Some((name, key.to_owned())),
            Self::Azure => Some(("api-key", key.to_owned())),
            Self::SignIn(_) | Self::None => None,
        }
    }

    /// A header beside the key's that says what kind of key it is; no secret.
    #[must_use]
    pub fn kind_header(self, key: &str) -> Option<(&'static str, &'static str)> {
        let kind = if key.starts_with("pat/") { "PROGRAMMATIC_ACCESS_TOKEN" } else { "KEYPAIR_JWT" };
        (self == Self::Snowflake).then_some(("x-snowflake-authorization-token-type", kind))
    }
}

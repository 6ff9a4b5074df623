//! One format that a provider speaks: at which path, for which models, with which key header. Not here: how the
//! path becomes a URL, see [`super::address`].

use super::Auth;
use crate::format::Format;

/// Whose variation of a format is spoken: clouds that host another vendor's models change it a little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Host {
    /// The format's own vendor, or one who speaks it alike.
    #[default]
    Vendor,
    /// Amazon Bedrock.
    Bedrock,
    /// Google's Vertex AI.
    Vertex,
}

/// A format that a provider speaks, and where.
#[derive(Clone, Copy, Debug)]
pub struct Speaks {
    /// The format.
    pub format: Format,
    /// Appended to the base URL; begins with a slash, and one alone is the base URL itself. Two slashes: stands in the place of the path that the row's
    /// own base URL has (`//anthropic/v1/messages` beside `https://host/v1`). A whole URL: stands for itself. `{model}` in it stands for the model
    /// as one segment, `{segments}` for the model with its slashes; the body then does not name it.
    pub path: &'static str,
    /// The path below a base URL that is not the row's own, where that is another: a vendor's server as its customers
    /// run it.
    pub elsewhere: Option<&'static str>,
    /// Where a stream is asked for, if that is another path.
    pub stream_path: Option<&'static str>,
    /// Where tokens are counted, if the provider counts them.
    pub count_path: Option<&'static str>,
    /// Which models are asked so, by their configured names; `None`: all.
    pub models: Option<fn(&str) -> bool>,
    /// How a key is shown there, if not as the row says.
    pub auth: Option<Auth>,
    /// Whose variation of the format it is.
    pub host: Host,
    /// Whether the body names the model though the path does too.
    pub names_model: bool,
    /// Fixed headers of every request there, besides the row's.
    pub headers: &'static [(&'static str, &'static str)],
}

impl Speaks {
    /// A format at one path.
    #[must_use]
    pub const fn at(format: Format, path: &'static str) -> Self {
        Self {
            format,
            path,
            elsewhere: None,
            stream_path: None,
            count_path: None,
            models: None,
            auth: None,
            host: Host::Vendor,
            names_model: false,
            headers: &[],
        }
    }

    /// The same where tokens are counted at `count_path`.
    #[must_use]
    pub const fn counts(self, count_path: &'static str) -> Self {
        Self { count_path: Some(count_path), ..self }
    }

    /// The same with another path below any base URL but the row's own.
    #[must_use]
    pub const fn elsewhere(self, path: &'static str) -> Self {
        Self { elsewhere: Some(path), ..self }
    }

    /// The same where streams have a path of their own.
    #[must_use]
    pub const fn streams(self, stream_path: &'static str) -> Self {
        Self { stream_path: Some(stream_path), ..self }
    }

    /// The same for some models only.
    #[must_use]
    pub const fn only(self, models: fn(&str) -> bool) -> Self {
        Self { models: Some(models), ..self }
    }

    /// The same with a key header of its own.
    #[must_use]
    pub const fn auth(self, auth: Auth) -> Self {
        Self { auth: Some(auth), ..self }
    }

    /// The same as another vendor's cloud hosts it.
    #[must_use]
    pub const fn hosted(self, host: Host) -> Self {
        Self { host, ..self }
    }

    /// The same with the model in the body as well as in the path.
    #[must_use]
    pub const fn naming(self) -> Self {
        Self { names_model: true, ..self }
    }

    /// The same with these headers.
    #[must_use]
    pub const fn headers(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }

    /// Whether the body names the model.
    #[must_use]
    pub fn names_model(&self) -> bool {
        self.names_model || (!self.path.contains("{model}") && !self.path.contains("{segments}"))
    }

    /// Whether `model`, as it is configured, is asked so.
    #[must_use]
    pub fn fits(&self, model: &str) -> bool {
        self.models.is_none_or(|models| models(model))
    }
}

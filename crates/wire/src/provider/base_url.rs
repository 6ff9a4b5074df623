//! A base URL taken apart, strictly: what is not plainly an http(s) URL is refused. Not a general URL parser.

/// The parts of `scheme://host[:port][/path][?query]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BaseUrl<'a> {
    pub secure: bool,
    /// Host without its port, as written; an IPv6 address with its brackets.
    pub host: &'a str,
    pub port: Option<u16>,
    /// Empty, or begins with a slash; never ends with one.
    pub path: &'a str,
    pub query: Option<&'a str>,
}

impl<'a> BaseUrl<'a> {
    /// Takes `text` apart. The error says what is wrong without quoting `text`, which may hold a password.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        // Whatever another parser could read differently (spaces, line ends, backslashes) would let a key
        // go to a host that was never checked.
        if text.bytes().any(|b| !b.is_ascii_graphic() || b"\\\"<>^`{|}".contains(&b)) {
            return Err("has a character that a URL cannot have");
        }
        let (scheme, rest) = text.split_once("://").ok_or("must begin with https:// or http://")?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err("must begin with https:// or http://"),
        };
        if rest.contains('#') {
            return Err("must not have a fragment (#)");
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if authority.contains('@') {
            return Err("must not hold a user name or password; use api_key");
        }
        let (host, port) = split_authority(authority)?;
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query).filter(|query| !query.is_empty())),
            None => (rest, None),
        };
        Ok(Self { secure, host, port, path: path.trim_end_matches('/'), query })
    }

    pub(super) fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(if self.secure { 443 } else { 80 })
    }

    /// Whether the host is a subdomain of `domain`, whatever the case.
    pub(super) fn is_under(&self, domain: &str) -> bool {
        let host = self.host.to_ascii_lowercase();
        host.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
    }

    /// The URL of `path` on this host, with the base's own query except that its `api-version` is `version`.
    pub(super) fn with_version(&self, path: &str, version: Option<&str>) -> String {
        let others = self.query.into_iter().flat_map(|query| query.split('&'));
        let mut pairs: Vec<String> =
            others.filter(|pair| !pair.starts_with("api-version=")).map(str::to_owned).collect();
        pairs.extend(version.map(|version| format!("api-version={version}")));
        self.with(path, (!pairs.is_empty()).then(|| pairs.join("&")).as_deref())
    }

    /// The URL of `path` on this host, with `query`.
    pub(super) fn with(&self, path: &str, query: Option<&str>) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        let mut url = format!("{scheme}://{}", self.host);
        if let Some(port) = self.port {
            url.push_str(&format!(":{port}"));
        }
        url.push_str(path);
        if let Some(query) = query {
            url.push('?');
            url.push_str(query);
        }
        url
    }
}

fn split_authority(authority: &str) -> Result<(&str, Option<u16>), &'static str> {
    let host_end = if authority.starts_with('[') {
        authority.find(']').map(|at| at + 1).ok_or("has an IPv6 address without its closing bracket")?
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, port) = authority.split_at(host_end);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let valid = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(plain),
    };
    if !valid {
        return Err("has no valid host name");
    }
    let port = match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(digits.parse().map_err(|_| "has an invalid port")?)
        }
        None if port.is_empty() => None,
        _ => return Err("has an invalid port"),
    };
    Ok((host, port))
}

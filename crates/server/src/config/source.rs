//! A configuration file's text, and the lines of it that may be shown.
//!
//! Problems are printed with the line they stand on, into terminals and logs. So what is shown is masked
//! first, by text alone: a file that does not even parse must not leak its keys either.

use std::path::PathBuf;

pub(crate) use store::seal::is_secret as is_secret_key;

/// A file that was read, with its text.
#[derive(Debug)]
pub(crate) struct Source {
    /// As the user named it, or as an `include` resolved to it.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// The text with secrets starred and control characters replaced, byte for byte as long.
    shown: String,
}

/// Where something stands. Lines and columns count from 1, columns in characters; the range is in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// Index of the file in the set that was loaded.
    pub(crate) file: u16,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Source {
    pub(crate) fn new(path: PathBuf, text: String) -> Self {
        let shown = masked(&text);
        Self { path, text, shown }
    }

    /// A line (from 1) as it may be shown, without its end.
    pub(crate) fn shown_line(&self, line: u32) -> &str {
        self.shown.split('\n').nth((line as usize).saturating_sub(1)).unwrap_or_default()
    }

    /// The text of a span as it may be shown.
    pub(crate) fn shown_span(&self, span: Span) -> &str {
        self.shown.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

/// Stars the values of secret keys, what is indented below them, bare `sk-…` words and URL passwords.
fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut secret_block: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let line = printable(line);
        let indent = line.len() - line.trim_start().len();
        let dashless = line.trim_start().trim_start_matches("- ");
        let content = line.len() - dashless.len();
        let blank = dashless.trim().is_empty();
        if secret_block.is_some_and(|limit| blank || indent > limit) {
            shown.push_str(&starred(&line));
            continue;
        }
        let opens = !blank && opens_secret(dashless);
        secret_block = opens.then_some(content);
        shown.push_str(&masked_line(&line));
    }
    shown
}

/// Whether the lines below, where they are indented deeper, belong to this line's secret key.
fn opens_secret(line: &str) -> bool {
    line.split_once(':').is_some_and(|(key, value)| {
        is_secret_key(unquoted(key)) && !value.trim_start().starts_with("os.environ/")
    })
}

fn unquoted(key: &str) -> &str {
    key.trim().trim_matches(['"', '\''])
}

/// One line with the values of its secret keys starred; flow maps hold several.
fn masked_line(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(colon) = rest.find(':') {
        let (before, after) = rest.split_at(colon + 1);
        let name = before[..colon].trim_end();
        let start = name.rfind(['{', '[', ',', ' ', '\t']).map_or(0, |at| at + 1);
        let key = unquoted(&name[start..]);
        shown.push_str(&without_bare_keys(before));
        rest = after;
        if is_secret_key(key) {
            let end = value_end(rest);
            let (value, tail) = rest.split_at(end);
            shown.push_str(&starred_value(value));
            rest = tail;
        }
    }
    shown.push_str(&without_bare_keys(rest));
    without_url_passwords(&shown)
}

/// Where a secret's value ends on its line: a quoted text at its quote, in a flow map at `,` or `}`, else with the line.
fn value_end(rest: &str) -> usize {
    let trimmed = rest.trim_start();
    let lead = rest.len() - trimmed.len();
    let closing = trimmed.chars().next().filter(|first| matches!(first, '"' | '\''));
    let quoted = closing.and_then(|quote| trimmed[1..].find(quote).map(|at| lead + at + 2));
    quoted.unwrap_or_else(|| {
        let nested = trimmed.starts_with(['{', '[']);
        if nested { rest.len() } else { rest.find([',', '}']).unwrap_or(rest.len()) }
    })
}

/// References to the environment name a secret without being one, so they stay readable.
fn starred_value(value: &str) -> String {
    let inner = value.trim().trim_matches(['"', '\'']);
    let harmless = inner.is_empty()
        || matches!(inner, "null" | "~" | "|" | ">")
        || inner
            .strip_prefix("os.environ/")
            .is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    if harmless { value.to_owned() } else { starred(value) }
}

/// As many bytes of stars; spaces, quotes and line ends stay so that the shape can be seen.
fn starred(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' => byte as char,
            _ => '*',
        })
        .collect()
}

fn without_bare_keys(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for word in
        text.split_inclusive(|next: char| !(next.is_ascii_alphanumeric() || matches!(next, '-' | '_')))
    {
        let looks = word.starts_with("sk-")
            || word.starts_with("AIza")
            || word.starts_with("AKIA")
            || word.starts_with("ghp_");
        if looks && word.len() > 6 { shown.push_str(&starred(word)) } else { shown.push_str(word) }
    }
    shown
}

fn without_url_passwords(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let authority = after
            .find(|next: char| next.is_whitespace() || matches!(next, '/' | '"' | '\''))
            .unwrap_or(after.len());
        let password = after[..authority].rfind('@').unwrap_or(0);
        shown.push_str(&starred(&after[..password]));
        rest = &after[password..];
    }
    shown.push_str(rest);
    shown
}

/// Escape sequences in a file must not reach the terminal. Tabs and line ends stay.
fn printable(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for next in line.chars() {
        if next.is_control() && !matches!(next, '\t' | '\n') {
            shown.extend(std::iter::repeat_n(if next == '\r' { ' ' } else { '?' }, next.len_utf8()));
        } else {
            shown.push(next);
        }
    }
    shown
}

//! The text of a `.env` file as pairs, by the rules of python-dotenv: `export`, quotes, comments,
//! `${NAME}` and `${NAME:-otherwise}`. Lines that are not assignments are skipped, as there.

use std::iter::Peekable;
use std::str::Chars;

/// The assignments in order. `outer` answers references to variables set outside of the file.
pub(super) fn pairs(text: &str, outer: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut rest = text.trim_start_matches('\u{feff}').chars().peekable();
    while rest.peek().is_some() {
        let Some(name) = read_name(&mut rest) else {
            skip_line(&mut rest);
            continue;
        };
        let (value, expands) = read_value(&mut rest);
        let value = if expands {
            expand(&value, |name| {
                outer(name)
                    .or_else(|| pairs.iter().rev().find(|pair| pair.0 == name).map(|pair| pair.1.clone()))
            })
        } else {
            value
        };
        pairs.push((name, value));
    }
    pairs
}

/// Reads `NAME =`, or nothing where the line is blank, a comment or no assignment.
fn read_name(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut name = String::new();
    while let Some(next) = rest.next_if(|next| !matches!(next, '=' | '\n' | '#')) {
        name.push(next);
    }
    rest.next_if_eq(&'=')?;
    let name = name.trim();
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    (!name.is_empty() && !name.contains(char::is_whitespace)).then(|| name.to_owned())
}

/// The value up to the end of its line or its closing quote, and whether references in it count.
fn read_value(rest: &mut Peekable<Chars<'_>>) -> (String, bool) {
    while rest.next_if(|next| matches!(next, ' ' | '\t')).is_some() {}
    let mut value = String::new();
    let Some(quote) = rest.next_if(|next| matches!(next, '"' | '\'')) else {
        let mut blank_before = true;
        while let Some(next) = rest.next_if(|next| *next != '\n') {
            if next == '#' && blank_before {
                skip_line(rest);
                break;
            }
            blank_before = next.is_whitespace();
            value.push(next);
        }
        value.truncate(value.trim_end().len());
        return (value, true);
    };
    while let Some(next) = rest.next() {
        match (next, rest.peek()) {
            (closing, _) if closing == quote => break,
            ('\\', Some(&escaped)) if escaped == quote || escaped == '\\' => value.extend(rest.next()),
            ('\\', Some('n' | 'r' | 't')) if quote == '"' => {
                value.extend(rest.next().map(|letter| match letter {
                    'n' => '\n',
                    'r' => '\r',
                    _ => '\t',
                }))
            }
            _ => value.push(next),
        }
    }
    skip_line(rest);
    (value, quote == '"')
}

fn skip_line(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|next| *next != '\n').is_some() {}
    rest.next();
}

/// Replaces `${NAME}` and `${NAME:-otherwise}`; a name that is not set becomes nothing.
fn expand(value: &str, lookup: impl Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        expanded.push_str(before);
        let Some((reference, tail)) = after.split_once('}') else {
            expanded.push_str("${");
            rest = after;
            break;
        };
        let (name, otherwise) = reference.split_once(":-").unwrap_or((reference, ""));
        expanded.push_str(&lookup(name).unwrap_or_else(|| otherwise.to_owned()));
        rest = tail;
    }
    expanded.push_str(rest);
    expanded
}

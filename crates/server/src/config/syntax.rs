//! What a YAML parser's complaint means in a person's words, and where the mistake is.
//!
//! A parser says where it gave up, which is often a line after the mistake. The few mistakes people make
//! are recognised from the text around that place; everything else keeps the parser's own words.

use super::source::Span;

pub(super) struct SyntaxFault {
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) span: Span,
}

/// Explains `complaint`, which the parser made at `at`.
pub(super) fn explain(text: &str, complaint: &str, at: Span) -> SyntaxFault {
    let lines: Vec<&str> = text.lines().collect();
    let here = (at.line as usize).saturating_sub(1).min(lines.len().saturating_sub(1));
    tab_indent(&lines, here, at.file)
        .or_else(|| missing_colon(&lines, here, at.file))
        .or_else(|| missing_space(&lines, here, at.file))
        .or_else(|| value_with_colon(&lines, here, complaint, at.file))
        .unwrap_or_else(|| SyntaxFault {
            message: format!("this is not valid YAML: {}", plainly(complaint)),
            help: general_help(complaint),
            span: at,
        })
}

/// A tab in the indentation of the line or of the one before it.
fn tab_indent(lines: &[&str], here: usize, file: u16) -> Option<SyntaxFault> {
    let number = [here, here.saturating_sub(1), here + 1].into_iter().find(|number| {
        lines.get(*number).is_some_and(|line| line[..line.len() - line.trim_start().len()].contains('\t'))
    })?;
    let before = lines.get(number)?.chars().take_while(|next| *next != '\t').count();
    Some(SyntaxFault {
        message: "YAML is indented with spaces, and this line with a tab".to_owned(),
        help: Some("replace each tab by two spaces".to_owned()),
        span: on_line(lines, number, before, 1, file),
    })
}

/// `- name` or `name` without a colon, with an indented `key:` below it.
fn missing_colon(lines: &[&str], here: usize, file: u16) -> Option<SyntaxFault> {
    let below = lines.get(here)?;
    let (_, indent_below) = content(below);
    let (number, above) = lines.iter().enumerate().take(here).rev().find(|(_, line)| !is_blank(line))?;
    let (word, indent) = content(above);
    let bare = word.split(" #").next().unwrap_or(word).trim_end();
    let is_word = !bare.is_empty()
        && !bare.contains([':', '"', '\'', '{', '}', '[', ']', ',', '|', '>'])
        && bare.split_whitespace().count() == 1;
    let (key, _) = content(below).0.split_once(':')?;
    if !is_word || indent_below < indent || key.trim().is_empty() {
        return None;
    }
    let dash = if above.trim_start().starts_with("- ") { "- " } else { "" };
    Some(SyntaxFault {
        message: format!("`{bare}` has keys below it, so it needs a colon"),
        help: Some(format!("add a colon: `{dash}{bare}:`")),
        span: on_line(lines, number, indent, bare.chars().count(), file),
    })
}

/// `key:value`, which YAML takes for one word.
fn missing_space(lines: &[&str], here: usize, file: u16) -> Option<SyntaxFault> {
    [here, here.saturating_sub(1)].into_iter().find_map(|number| {
        let (line, indent) = content(lines.get(number)?);
        let (key, value) = line.split_once(':')?;
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let glued = value.starts_with(|next: char| !next.is_whitespace() && next != '/');
        (is_key && glued).then(|| SyntaxFault {
            message: format!("`{key}:` needs a space after its colon"),
            help: Some(format!("write `{key}: …`")),
            span: on_line(lines, number, indent, key.chars().count() + 1, file),
        })
    })
}

/// A plain value that holds `: ` itself.
fn value_with_colon(lines: &[&str], here: usize, complaint: &str, file: u16) -> Option<SyntaxFault> {
    if !complaint.contains("mapping values are not allowed")
        && !complaint.contains("illegal placement of ':'")
    {
        return None;
    }
    let (line, indent) = content(lines.get(here)?);
    let (key, value) = line.split_once(": ")?;
    let lead = value.len() - value.trim_start().len();
    value.contains(": ").then(|| SyntaxFault {
        message: format!("the value of `{}` holds a colon, so it needs quotes", key.trim()),
        help: Some("put the value in double quotes".to_owned()),
        span: on_line(
            lines,
            here,
            indent + key.chars().count() + 2 + lead,
            value.trim().chars().count(),
            file,
        ),
    })
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty() || line.trim_start().starts_with('#')
}

/// The line without indentation and list dashes, and how many characters those took.
fn content(line: &str) -> (&str, usize) {
    let mut rest = line.trim_start();
    while let Some(inner) = rest.strip_prefix("- ") {
        rest = inner.trim_start();
    }
    let indent = line.len() - rest.len();
    (rest.trim_end(), indent)
}

/// The span of `count` characters of a line, after `before` of them.
fn on_line(lines: &[&str], number: usize, before: usize, count: usize, file: u16) -> Span {
    let base = lines.first().map_or(0, |first| first.as_ptr() as usize);
    let line = lines.get(number).copied().unwrap_or_default();
    let offset =
        |characters: usize| line.char_indices().nth(characters).map_or(line.len(), |(offset, _)| offset);
    let begins = (line.as_ptr() as usize).saturating_sub(base);
    let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Span {
        file,
        start: narrow(begins + offset(before)),
        end: narrow(begins + offset(before + count)),
        line: narrow(number + 1),
        column: narrow(before + 1),
    }
}

/// The parser's words without its grammar.
fn plainly(complaint: &str) -> &str {
    match complaint {
        "while scanning a quoted scalar, found unexpected end of stream" => {
            "a quote is opened and never closed"
        }
        "while parsing a node, did not find expected node content" => "a value is expected here",
        "while parsing a block mapping, did not find expected key" => {
            "this does not line up with the keys above"
        }
        "while parsing a block collection, did not find expected '-' indicator" => {
            "this does not line up with the list above"
        }
        "simple key expect ':'" | "simple key expected" => "a colon is missing",
        "while parsing node, found unknown anchor" => "this alias names an anchor that does not exist",
        "recursion limit exceeded" => "this is nested too deep",
        "misplaced bracket" => "this bracket closes nothing",
        other => other.rsplit_once(", ").map_or(other, |(_, cause)| cause),
    }
}

fn general_help(complaint: &str) -> Option<String> {
    let help = if complaint.contains("quoted scalar") {
        "close the quote on the same line"
    } else if complaint.contains("flow") || complaint.contains("bracket") {
        "every `[` and `{` needs its `]` and `}`, with commas between"
    } else if complaint.contains("expected key")
        || complaint.contains("indicator")
        || complaint.contains("indentation")
    {
        "keys of one map start at the same column"
    } else if complaint.contains("simple key") {
        "write `key: value`"
    } else {
        return None;
    };
    Some(help.to_owned())
}

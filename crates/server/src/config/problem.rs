//! What is wrong with a configuration: collected whole, shown with the line and a caret, as text or JSON.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::source::{Source, Span};

/// More problems than this are counted and not kept.
const KEPT: usize = 100;
/// Columns of a source line that are shown.
const SHOWN_COLUMNS: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The configuration loads; something in it has no effect or is unwise.
    Warning,
    /// The configuration does not load.
    Error,
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One problem, ready to be shown. No part of it holds a secret.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) severity: Severity,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) place: Option<Place>,
    /// At how many more places the same was found.
    pub(crate) repeats: usize,
}

/// A problem that did not keep the configuration from loading.
pub(crate) type Notice = Problem;

/// Where a problem stands.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) source: Arc<Source>,
    pub(crate) span: Span,
}

/// Everything found by a load that failed: at least one error, and the warnings beside it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.text(false))]
pub(crate) struct Report {
    pub(crate) problems: Vec<Problem>,
}

impl Report {
    /// The whole report as text, errors last, so that they are what a terminal shows.
    pub(crate) fn text(&self, color: bool) -> String {
        render_all(&self.problems, color)
    }
}

/// The problems found so far, and the files they are found in.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    sources: Vec<Arc<Source>>,
    found: Vec<Problem>,
    errors: usize,
    dropped: usize,
}

impl Problems {
    /// Registers a file and returns its index for spans, or nothing when there are too many.
    pub(crate) fn add_source(&mut self, source: Source) -> Option<(u16, Arc<Source>)> {
        let index = u16::try_from(self.sources.len()).ok()?;
        let source = Arc::new(source);
        self.sources.push(Arc::clone(&source));
        Some((index, source))
    }

    pub(crate) fn source(&self, span: Span) -> Option<&Arc<Source>> {
        self.sources.get(usize::from(span.file))
    }

    pub(crate) fn place(&self, span: Span) -> Option<Place> {
        Some(Place { source: Arc::clone(self.source(span)?), span })
    }

    /// The files that were read, in the order they were.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        self.sources.iter().map(|source| source.path.clone()).collect()
    }

    pub(crate) fn error(&mut self, span: Option<Span>, message: impl Into<String>, help: Option<String>) {
        self.push(Severity::Error, span, message.into(), help);
    }

    pub(crate) fn warn(&mut self, span: Option<Span>, message: impl Into<String>, help: Option<String>) {
        self.push(Severity::Warning, span, message.into(), help);
    }

    pub(crate) fn failed(&self) -> bool {
        self.errors > 0
    }

    /// The problems, in the order of the file's lines.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|problem| {
            problem.place.as_ref().map_or((0, 0), |place| (place.span.file, place.span.start))
        });
        if self.dropped > 0 {
            self.found.push(Problem {
                severity: if self.errors > 0 { Severity::Error } else { Severity::Warning },
                message: format!("and {} more problems", self.dropped),
                help: None,
                place: None,
                repeats: 0,
            });
        }
        self.found
    }

    fn push(&mut self, severity: Severity, span: Option<Span>, message: String, help: Option<String>) {
        self.errors += usize::from(severity == Severity::Error);
        let same = |known: &&mut Problem| {
            severity == Severity::Warning
                && known.severity == severity
                && known.message == message
                && known.help == help
        };
        if let Some(known) = self.found.iter_mut().find(same) {
            known.repeats += 1;
        } else if self.found.len() < KEPT {
            let place = span.and_then(|span| self.place(span));
            self.found.push(Problem { severity, message, help, place, repeats: 0 });
        } else {
            self.dropped += 1;
        }
    }
}

/// Warnings, then errors, each with its lines, and a blank line between them.
pub(crate) fn render_all(problems: &[Problem], color: bool) -> String {
    let of = |severity| problems.iter().filter(move |problem| problem.severity == severity);
    of(Severity::Warning)
        .chain(of(Severity::Error))
        .map(|problem| problem.render(color))
        .collect::<Vec<_>>()
        .join("\n")
}

impl Problem {
    /// The problem with its source line, a caret and its help; ends with a line end.
    pub(crate) fn render(&self, color: bool) -> String {
        let (paint, bold, reset) = match (color, self.severity) {
            (false, _) => ("", "", ""),
            (true, Severity::Error) => ("\x1b[1;31m", "\x1b[1m", "\x1b[0m"),
            (true, Severity::Warning) => ("\x1b[1;33m", "\x1b[1m", "\x1b[0m"),
        };
        let mut text = format!("{paint}{}{reset}{bold}: {}{reset}\n", self.severity.name(), self.message);
        if let Some(place) = &self.place {
            place.render(&mut text, paint, reset);
        }
        match self.repeats {
            0 => {}
            1 => text.push_str("  note: the same at 1 more place\n"),
            more => _ = writeln!(text, "  note: the same at {more} more places"),
        }
        if let Some(help) = &self.help {
            _ = writeln!(text, "  help: {}", help.replace('\n', "\n        "));
        }
        text
    }

    /// `{severity, message, help, file, line, column}`; the last three are null where the problem has no place.
    pub(crate) fn json(&self) -> Value {
        let place = self.place.as_ref();
        json!({
            "severity": self.severity.name(),
            "message": self.message,
            "help": self.help,
            "file": place.map(|place| place.source.path.display().to_string()),
            "line": place.map(|place| place.span.line),
            "column": place.map(|place| place.span.column),
            "more_places": self.repeats,
        })
    }
}

impl Place {
    fn render(&self, text: &mut String, paint: &str, reset: &str) {
        let Span { line, column, .. } = self.span;
        let margin = " ".repeat(line.to_string().len());
        _ = writeln!(text, " {margin} ╭─[{}:{line}:{column}]", self.source.path.display());
        let shown = self.source.shown_line(line);
        let before = (column as usize).saturating_sub(1);
        // A caret far to the right needs the line cut on the left as well.
        let cut = before.saturating_sub(SHOWN_COLUMNS - 40);
        let window: String = shown.chars().skip(cut).take(SHOWN_COLUMNS).map(visible).collect();
        _ = writeln!(text, " {line} │ {}", window.trim_end());
        let left = window.chars().count().saturating_sub(before - cut).max(1);
        let carets = "^".repeat(self.marked_columns().clamp(1, left));
        _ = writeln!(text, " {margin} · {}{paint}{carets}{reset}", " ".repeat(before - cut));
        _ = writeln!(text, " {margin} ╰─");
    }

    /// How many characters of the span stand on its first line.
    fn marked_columns(&self) -> usize {
        self.source.shown_span(self.span).lines().next().unwrap_or_default().trim_end().chars().count()
    }
}

/// Tabs are what is wrong often enough that they should be seen; they take one column this way.
fn visible(next: char) -> char {
    if next == '\t' { '→' } else { next }
}

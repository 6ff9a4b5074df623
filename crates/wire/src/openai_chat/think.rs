//! `<think>…</think>` at the start of an answer's text, split from the answer: plain servers of reasoning
//! models leave it there. Works on text cut anywhere; a tag later in the text is the answer's own.

#[cfg(test)]
#[path = "think_tests.rs"]
mod tests;

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Splits one choice's text as it arrives.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    place: Place,
    /// Text that may yet turn out to be a tag: shorter than a tag, plus white space at the very start.
    held: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Start,
    Thinking,
    Answer,
}

/// What a piece of text belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Thinking,
    Answer,
}

/// White space before a tag is held back only up to this many bytes.
const MOST_BLANKS: usize = 64;

impl Splitter {
    /// A splitter for text whose reasoning arrives elsewhere: everything is answer.
    pub(crate) fn off(&mut self) {
        if self.place == Place::Start && self.held.is_empty() {
            self.place = Place::Answer;
        }
    }

    /// Takes more text; `emit` gets each piece, never empty.
    pub(crate) fn push(&mut self, text: &str, emit: &mut dyn FnMut(Piece, &str)) {
        if self.place == Place::Answer && self.held.is_empty() {
            return give(Piece::Answer, text, emit);
        }
        let mut text = std::mem::take(&mut self.held) + text;
        if self.place == Place::Start {
            let word = text.trim_start();
            let blanks = text.len() - word.len();
            if let Some(rest) = word.strip_prefix(OPEN) {
                self.place = Place::Thinking;
                text = rest.to_owned();
            } else if OPEN.starts_with(word) && blanks <= MOST_BLANKS {
                self.held = text;
                return;
            } else {
                self.place = Place::Answer;
                return give(Piece::Answer, &text, emit);
            }
        }
        match text.find(CLOSE) {
            Some(at) => {
                self.place = Place::Answer;
                give(Piece::Thinking, &text[..at], emit);
                give(Piece::Answer, &text[at + CLOSE.len()..], emit);
            }
            None => {
                let held =
                    (1..CLOSE.len()).rev().find(|length| text.ends_with(&CLOSE[..*length])).unwrap_or(0);
                self.held = text.split_off(text.len() - held);
                give(Piece::Thinking, &text, emit);
            }
        }
    }

    /// The text has ended: what was held back is no tag.
    pub(crate) fn end(&mut self, emit: &mut dyn FnMut(Piece, &str)) {
        let piece = if self.place == Place::Thinking { Piece::Thinking } else { Piece::Answer };
        give(piece, &std::mem::take(&mut self.held), emit);
    }
}

fn give(piece: Piece, text: &str, emit: &mut dyn FnMut(Piece, &str)) {
    if !text.is_empty() {
        emit(piece, text);
    }
}

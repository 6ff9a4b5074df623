//! YAML text to a [`Node`] tree, within bounds: a file can be broken or hostile and must end in a message.
//!
//! The events come from saphyr-parser; anchors, aliases, merge keys, duplicate keys and tags are decided
//! here, as PyYAML's safe loader decides them. Two differences: duplicate keys are said aloud (the last
//! one still wins), and a tag that is not one of YAML's own is an error in a person's words.

use std::collections::HashMap;
use std::mem;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span as EventSpan, Tag};

use super::problem::Problems;
use super::source::{Source, Span};
use super::syntax;
use super::tree::{Content, Entry, Map, Node};

/// Levels of nesting. Configurations have about six.
const MAX_DEPTH: usize = 64;
/// Nodes of a whole file, those copied by aliases included.
const MAX_NODES: usize = 200_000;
/// Keys of one map. They are looked up one by one, which is fastest for the few that maps have.
const MAX_KEYS: usize = 5_000;

/// The root of a file, or nothing after an error was noted. An empty file is null.
pub(crate) fn parse(source: &Source, file: u16, problems: &mut Problems) -> Option<Node> {
    let text = source.text.as_str();
    let mut builder = Builder {
        places: Places::new(text, file),
        problems,
        open: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        root: None,
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let (event, span) = match next {
            Ok(pair) => pair,
            Err(error) => {
                let place = builder.places.at(*error.marker());
                let fault = syntax::explain(text, error.info(), place);
                builder.problems.error(Some(fault.span), fault.message, fault.help);
                return None;
            }
        };
        builder.accept(event, span)?;
    }
    let empty = builder.places.at(Marker::new(0, 1, 0));
    Some(builder.root.unwrap_or_else(|| Node::null(empty)))
}

/// Turns the parser's marks, which count characters, into spans, which count bytes.
struct Places {
    file: u16,
    /// Byte offset of each character; empty for ASCII text, where they are the same.
    offsets: Vec<u32>,
    length: u32,
}

impl Places {
    fn new(text: &str, file: u16) -> Self {
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        let offsets = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(offset, _)| narrow(offset)).collect()
        };
        Self { file, offsets, length: narrow(text.len()) }
    }

    fn byte(&self, mark: Marker) -> u32 {
        let index = mark.index();
        if self.offsets.is_empty() {
            return u32::try_from(index).unwrap_or(u32::MAX).min(self.length);
        }
        self.offsets.get(index).copied().unwrap_or(self.length)
    }

    fn between(&self, span: EventSpan) -> Span {
        let narrow = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Span {
            file: self.file,
            start: self.byte(span.start),
            end: self.byte(span.end),
            line: narrow(span.start.line()),
            column: narrow(span.start.col().saturating_add(1)),
        }
    }

    fn at(&self, mark: Marker) -> Span {
        self.between(EventSpan::empty(mark))
    }
}

struct Builder<'a> {
    places: Places,
    problems: &'a mut Problems,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
}

/// A list or map whose end was not seen yet.
struct Open {
    span: Span,
    anchor: usize,
    /// `Builder::nodes` when it began, so that its size is known at its end.
    nodes_before: usize,
    inside: Inside,
}

enum Inside {
    List(Vec<Node>),
    Map { map: Map, key: Option<(String, Span)>, merges: Vec<Node> },
}

impl Builder<'_> {
    fn accept(&mut self, event: Event<'_>, span: EventSpan) -> Option<()> {
        let place = self.places.between(span);
        match event {
            Event::DocumentStart(_) if self.root.is_some() => self.refuse(
                place,
                "a second document starts here",
                "a configuration is one document: remove the `---` line",
            ),
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = self.is_text(tag.as_deref(), style != ScalarStyle::Plain, place)?;
                let content =
                    if quoted { Content::Text(text.into_owned()) } else { Content::Plain(text.into_owned()) };
                let node = Node { content, span: place };
                self.remember(anchor, &node, 1);
                self.place(node, 1)
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(place, anchor, tag.as_deref(), Inside::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                let inside = Inside::Map { map: Map::default(), key: None, merges: Vec::new() };
                self.begin(place, anchor, tag.as_deref(), inside)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some((_, size)) if self.nodes.saturating_add(*size) > MAX_NODES => self.too_many(place),
                Some((node, size)) => {
                    let (node, size) = (Node { span: place, ..node.clone() }, *size);
                    self.place(node, size)
                }
                None => self.refuse(
                    place,
                    "this alias stands inside of what it names",
                    "a value cannot hold itself",
                ),
            },
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Some(()),
        }
    }

    fn begin(&mut self, span: Span, anchor: usize, tag: Option<&Tag>, inside: Inside) -> Option<()> {
        self.is_text(tag, false, span)?;
        if self.open.len() >= MAX_DEPTH {
            return self.refuse(
                span,
                format!("this is nested deeper than {MAX_DEPTH} levels"),
                "make it flatter",
            );
        }
        self.open.push(Open { span, anchor, nodes_before: self.nodes, inside });
        Some(())
    }

    fn end(&mut self) -> Option<()> {
        let Some(open) = self.open.pop() else { return Some(()) };
        let content = match open.inside {
            Inside::List(items) => Content::List(items),
            Inside::Map { mut map, merges, .. } => {
                self.merge(&mut map, merges)?;
                Content::Map(map)
            }
        };
        let size = self.nodes.saturating_sub(open.nodes_before) + 1;
        let node = Node { content, span: open.span };
        self.remember(open.anchor, &node, size);
        self.place(node, 1)
    }

    /// Keeps a copy of an anchored node for its aliases; the copy counts as well.
    fn remember(&mut self, anchor: usize, node: &Node, size: usize) {
        if anchor != 0 {
            self.nodes = self.nodes.saturating_add(size);
            self.anchors.insert(anchor, (node.clone(), size));
        }
    }

    /// Puts a finished node where it belongs. `added` is how many nodes it brings that were not counted.
    fn place(&mut self, node: Node, added: usize) -> Option<()> {
        self.nodes = self.nodes.saturating_add(added);
        if self.nodes > MAX_NODES {
            return self.too_many(node.span);
        }
        match self.open.last_mut().map(|open| &mut open.inside) {
            None => self.root = Some(node),
            Some(Inside::List(items)) => items.push(node),
            Some(Inside::Map { map, key, merges }) => match key.take() {
                None => {
                    let Some(letters) = node.letters() else {
                        return self.refuse(
                            node.span,
                            "a key must be a plain word",
                            "quote it when it holds brackets or braces",
                        );
                    };
                    *key = Some((letters.to_owned(), node.span));
                }
                Some((name, _)) if name == "<<" => merges.push(node),
                Some((name, key_span)) if map.entries.len() >= MAX_KEYS && map.position(&name).is_none() => {
                    let message = format!("one map holds more than {MAX_KEYS} keys");
                    return self.refuse(key_span, message, "split the file with `include`");
                }
                Some((name, key_span)) => match map.position(&name) {
                    None => map.entries.push(Entry { key: name, key_span, value: node }),
                    Some(at) => {
                        let first = map.entries[at].key_span.line;
                        map.entries[at] = Entry { key: name.clone(), key_span, value: node };
                        let message = format!(
                            "`{name}` is set twice; this one counts, the one on line {first} does not"
                        );
                        self.problems.warn(Some(key_span), message, Some("remove one of them".to_owned()));
                    }
                },
            },
        }
        Some(())
    }

    /// Adds what `<<` names, for keys the map does not set itself; of several maps the first wins.
    fn merge(&mut self, map: &mut Map, merges: Vec<Node>) -> Option<()> {
        for merged in merges {
            let span = merged.span;
            let parts = match merged.content {
                Content::List(items) => items,
                content => vec![Node { content, span }],
            };
            for part in parts {
                let Content::Map(mut part) = part.content else {
                    return self.refuse(
                        span,
                        "`<<` merges maps only",
                        "name an anchor that stands before a map",
                    );
                };
                for entry in mem::take(&mut part.entries) {
                    if map.position(&entry.key).is_none() {
                        map.entries.push(entry);
                    }
                }
            }
        }
        Some(())
    }

    /// Whether a scalar is a text whatever it looks like. A tag that is not YAML's own is refused.
    fn is_text(&mut self, tag: Option<&Tag>, quoted: bool, place: Span) -> Option<bool> {
        let Some(tag) = tag else { return Some(quoted) };
        match tag.suffix.as_str() {
            "str" if tag.is_yaml_core_schema() => Some(true),
            "int" | "float" | "bool" | "null" if tag.is_yaml_core_schema() => Some(false),
            "map" | "seq" if tag.is_yaml_core_schema() => Some(quoted),
            "" if tag.handle == "!" => Some(true),
            _ => {
                self.refuse(
                    place,
                    "a tag that is not one of YAML's own",
                    "remove the word that starts with `!`, or quote the value",
                )?;
                None
            }
        }
    }

    fn too_many(&mut self, span: Span) -> Option<()> {
        let message = format!("the file holds more than {MAX_NODES} values");
        self.refuse(span, message, "aliases count as often as they are used")
    }

    fn refuse(&mut self, span: Span, message: impl Into<String>, help: &str) -> Option<()> {
        self.problems.error(Some(span), message, Some(help.to_owned()));
        None
    }
}

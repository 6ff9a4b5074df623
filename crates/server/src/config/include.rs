//! Files to one tree: reading within bounds, and `include` merged as LiteLLM merges it.
//!
//! Lists of an included file are appended to the list of the same name, other values replace it. Each file
//! counts once. A path is looked for beside the file that names it, then beside the first file.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::problem::Problems;
use super::source::{Source, Span};
use super::tree::{Content, Entry, Map, Node};
use super::yaml;

/// Bytes of one file, and of all of them together.
const MAX_BYTES: usize = 4 << 20;
const MAX_TOTAL_BYTES: usize = 16 << 20;
const MAX_FILES: usize = 100;

const EXAMPLE: &str = "the smallest useful one:\nmodel_list:\n  - model_name: gpt-4o\n    litellm_params:\n      \
                       model: openai/gpt-4o\n      api_key: os.environ/OPENAI_API_KEY";

/// The root file and what it includes as one map, or nothing after errors were noted.
pub(super) fn read_tree(path: &Path, problems: &mut Problems) -> Option<Map> {
    let mut reader = Reader { root: path, problems, chain: Vec::new(), seen: Vec::new(), bytes: 0 };
    reader.read(path, None)
}

struct Reader<'a> {
    root: &'a Path,
    problems: &'a mut Problems,
    /// The files being read, outermost first.
    chain: Vec<PathBuf>,
    seen: Vec<PathBuf>,
    bytes: usize,
}

impl Reader<'_> {
    fn read(&mut self, path: &Path, named_at: Option<Span>) -> Option<Map> {
        let text = self.read_text(path, named_at)?;
        let identity = identity(path);
        let Some((index, source)) = self.problems.add_source(Source::new(path.to_owned(), text)) else {
            self.problems.error(named_at, "too many files are included", None);
            return None;
        };
        let root = yaml::parse(&source, index, self.problems)?;
        let map = self.root_map(root, path)?;
        self.seen.push(identity.clone());
        self.chain.push(identity);
        let merged = self.with_includes(map, path);
        self.chain.pop();
        Some(merged)
    }

    fn root_map(&mut self, root: Node, path: &Path) -> Option<Map> {
        let span = root.span;
        match root.content {
            Content::Map(map) => Some(map),
            _ if root.is_null() => {
                let message = format!("{} is empty", path.display());
                self.problems.error(None, message, Some(EXAMPLE.to_owned()));
                None
            }
            Content::Plain(_) | Content::Text(_) | Content::List(_) => {
                let message = format!(
                    "a configuration file is a map of `key: value` lines, and this is {}",
                    root.kind()
                );
                self.problems.error(Some(span), message, Some(EXAMPLE.to_owned()));
                None
            }
        }
    }

    fn with_includes(&mut self, mut map: Map, path: &Path) -> Map {
        let Some(position) = map.position("include") else { return map };
        let include = map.entries.remove(position);
        let Some(items) = include.value.list() else {
            if !include.value.is_null() {
                let help = "write one path a line: `- models.yaml`";
                self.problems.error(
                    Some(include.value.span),
                    "`include` must be a list of paths",
                    Some(help.to_owned()),
                );
            }
            return map;
        };
        for item in items {
            if let Some(included) = self.included(item, path) {
                merge(&mut map, included);
            }
        }
        map
    }

    fn included(&mut self, item: &Node, declared_in: &Path) -> Option<Map> {
        let Some(name) = item.letters().filter(|name| !name.is_empty()) else {
            self.problems.error(Some(item.span), "an included file is named by its path, a text", None);
            return None;
        };
        let beside =
            |file: &Path| file.parent().map_or_else(|| PathBuf::from(name), |directory| directory.join(name));
        let candidates = [beside(declared_in), beside(self.root)];
        let Some(path) = candidates.iter().find(|candidate| candidate.exists()) else {
            let message = format!("the included file `{}` does not exist", candidates[0].display());
            let help = "paths are relative to the file that includes them";
            self.problems.error(Some(item.span), message, Some(help.to_owned()));
            return None;
        };
        let identity = identity(path);
        if self.chain.contains(&identity) {
            let help = "a file cannot be part of itself: remove one of the includes";
            let message = format!("`{name}` includes itself, by way of {}", self.way_back_to(&identity));
            self.problems.error(Some(item.span), message, Some(help.to_owned()));
            return None;
        }
        if self.seen.contains(&identity) {
            return None;
        }
        if self.seen.len() >= MAX_FILES {
            self.problems.error(Some(item.span), format!("more than {MAX_FILES} files are included"), None);
            return None;
        }
        self.read(path, Some(item.span))
    }

    /// The file names of a cycle, from the file that comes again to the one that names it.
    fn way_back_to(&self, identity: &Path) -> String {
        let start = self.chain.iter().position(|file| file == identity).unwrap_or(0);
        let names: Vec<String> = self.chain[start..]
            .iter()
            .map(|file| file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned())
            .collect();
        names.join(" → ")
    }

    fn read_text(&mut self, path: &Path, named_at: Option<Span>) -> Option<String> {
        match read_bounded(path) {
            Err(error) => {
                self.problems.error(
                    named_at,
                    format!("cannot read {}: {}", path.display(), cause(&error)),
                    None,
                );
                None
            }
            Ok(bytes) if bytes.len() > MAX_BYTES || self.bytes + bytes.len() > MAX_TOTAL_BYTES => {
                let message = format!(
                    "{} is too large for a configuration (the bound is 4 MiB a file, 16 MiB in all)",
                    path.display()
                );
                self.problems.error(named_at, message, None);
                None
            }
            Ok(bytes) => {
                self.bytes += bytes.len();
                self.decoded(bytes, path, named_at)
            }
        }
    }

    fn decoded(&mut self, bytes: Vec<u8>, path: &Path, named_at: Option<Span>) -> Option<String> {
        let binary = bytes.iter().position(|byte| *byte == 0);
        let at = match (String::from_utf8(bytes), binary) {
            (Ok(text), None) => return Some(text),
            (Ok(_), Some(at)) => at,
            (Err(error), nul) => {
                nul.map_or(error.utf8_error().valid_up_to(), |nul| nul.min(error.utf8_error().valid_up_to()))
            }
        };
        let message = format!("{} is not a YAML file: it is not text in UTF-8 (byte {at})", path.display());
        self.problems.error(
            named_at,
            message,
            Some("save it as UTF-8, or check that this is the right file".to_owned()),
        );
        None
    }
}

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    if path.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The operating system's reason without its number.
fn cause(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    }
}

fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn merge(into: &mut Map, included: Map) {
    for Entry { key, key_span, value } in included.entries {
        match into.position(&key) {
            None => into.entries.push(Entry { key, key_span, value }),
            Some(at) => match (&mut into.entries[at].value.content, value) {
                (Content::List(items), Node { content: Content::List(more), .. }) => items.extend(more),
                (_, value) => into.entries[at] = Entry { key, key_span, value },
            },
        }
    }
}

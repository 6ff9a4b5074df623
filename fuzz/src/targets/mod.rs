//! What reads bytes, and what must hold whatever they are.

mod direct;
mod frames;
mod outside;
mod replies;
mod requests;
mod written;

use anyhow::Result;

use crate::seeds::{self, Case};

#[path = "../../../crates/wire/tests/walk/upstreams.rs"]
mod upstreams;

/// Reads bytes that came of the seed with this index.
pub type Reader = Box<dyn Fn(usize, &[u8]) -> Outcome>;

/// Something that reads bytes.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// What mutation starts from.
    pub seeds: Vec<Vec<u8>>,
    /// Reads them.
    pub read: Reader,
}

/// What came of one input.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What happened, in words without content: inputs of the same words took the same way.
    pub kinds: String,
    /// What should have held and does not.
    pub broken: Option<String>,
}

impl Outcome {
    /// Notes what happened.
    fn note(&mut self, kind: &str) {
        self.kinds.push_str(kind);
        self.kinds.push(';');
    }

    /// Notes the kind of an error: its words without numbers and what it quotes.
    fn note_error(&mut self, error: &impl ToString) {
        let text = error.to_string();
        let plain = text.split('"').step_by(2).flat_map(|part| part.split(|c: char| c.is_ascii_digit()));
        self.kinds.extend(plain.flat_map(str::chars).take(120));
        self.kinds.push(';');
    }

    /// Demands that something holds; the first that does not is kept.
    fn demand(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds && self.broken.is_none() {
            self.broken = Some(what());
        }
    }
}

/// Every target, in the order in which time is given to them.
///
/// # Errors
/// When the fixtures cannot be read.
pub fn all() -> Result<Vec<Target>> {
    let cases = seeds::cases()?;
    let mut all = frames::targets(&cases);
    all.extend(requests::targets(&cases));
    all.extend(replies::targets(&cases));
    all.extend(direct::targets(&cases));
    all.extend(outside::targets(&cases));
    Ok(all)
}

/// The files of these names in all cases.
fn files(cases: &[Case], names: &[&str]) -> Vec<Vec<u8>> {
    let found = cases.iter().flat_map(|case| names.iter().filter_map(|name| case.file(name)));
    found.map(<[u8]>::to_vec).collect()
}

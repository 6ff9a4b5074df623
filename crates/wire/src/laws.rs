//! Is a sequence of events legal? Checked in debug builds and in every test of a stream.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::ChatEvent;

/// Remembers just enough of a stream to judge the next event.
#[derive(Debug, Default)]
pub struct Laws {
    started: bool,
    open: BTreeMap<u32, u32>,
    used: BTreeSet<u32>,
    stopped: BTreeSet<u32>,
}

impl Laws {
    /// Judges `event` and remembers it.
    ///
    /// # Errors
    /// The broken law in words.
    pub fn check(&mut self, event: &ChatEvent) -> Result<(), String> {
        match event {
            ChatEvent::Unmodeled { .. } | ChatEvent::Usage(_) | ChatEvent::Trace(_) => Ok(()),
            ChatEvent::Start { .. } => {
                if std::mem::replace(&mut self.started, true) {
                    return Err("second Start".to_owned());
                }
                Ok(())
            }
            _ if !self.started => Err(format!("{event:?} before Start")),
            ChatEvent::Open { block, choice, .. } => self.opened(*block, *choice),
            ChatEvent::Delta { block, .. } if !self.open.contains_key(block) => {
                Err(format!("delta into block {block}, which is not open"))
            }
            ChatEvent::Signature { block, .. } | ChatEvent::Cited { block, .. }
                if !self.open.contains_key(block) =>
            {
                Err(format!("addition to block {block}, which is not open"))
            }
            ChatEvent::Met { choice, .. } if self.stopped.contains(choice) => {
                Err(format!("stop text of choice {choice} after its Stop"))
            }
            ChatEvent::Close { block } if self.open.remove(block).is_none() => {
                Err(format!("close of block {block}, which is not open"))
            }
            ChatEvent::Stop { choice, .. } => self.stopped(*choice),
            ChatEvent::Delta { .. }
            | ChatEvent::Close { .. }
            | ChatEvent::Signature { .. }
            | ChatEvent::Cited { .. }
            | ChatEvent::Met { .. }
            | ChatEvent::Logprobs { .. } => Ok(()),
        }
    }

    fn opened(&mut self, block: u32, choice: u32) -> Result<(), String> {
        if self.stopped.contains(&choice) {
            return Err(format!("block {block} opened after the Stop of choice {choice}"));
        }
        if !self.used.insert(block) {
            return Err(format!("block {block} opened twice"));
        }
        self.open.insert(block, choice);
        Ok(())
    }

    fn stopped(&mut self, choice: u32) -> Result<(), String> {
        if let Some((block, _)) = self.open.iter().find(|(_, of)| **of == choice) {
            return Err(format!("Stop of choice {choice} while block {block} is open"));
        }
        if !self.stopped.insert(choice) {
            return Err(format!("second Stop of choice {choice}"));
        }
        Ok(())
    }
}

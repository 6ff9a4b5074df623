//! In which order calls go on that wait for a place: lower priority numbers first, within one the parties in turn.
//!
//! Not here: waiting. The queue is bounded; when it is full, a party that holds less than another of no higher priority
//! takes a place from the one that holds most, whose newest call is refused.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;

/// The order of waiting calls. `P` is a party (a key or team), `T` what waits.
#[derive(Debug)]
pub struct Queue<P, T> {
    levels: BTreeMap<u8, Level<P, T>>,
    len: usize,
    most: usize,
    next: u64,
}

#[derive(Debug)]
struct Level<P, T> {
    /// Whose turn it is; each party with calls is here once.
    turns: VecDeque<P>,
    calls: HashMap<P, VecDeque<(u64, T)>>,
}

/// Names a call that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    priority: u8,
    number: u64,
}

/// The queue is full; the call comes back.
#[derive(Debug, PartialEq, Eq)]
pub struct Full<T>(pub T);

impl<P: Clone + Eq + Hash, T> Queue<P, T> {
    /// A queue for at most `most` calls.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { levels: BTreeMap::new(), len: 0, most, next: 0 }
    }

    /// Calls that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Lets a call wait; 0 is the highest priority. Comes back with its place, and the call that had to make room.
    ///
    /// # Errors
    /// The queue is full, and nobody holds more.
    pub fn push(&mut self, priority: u8, party: P, call: T) -> Result<(Place, Option<T>), Full<T>> {
        let mut displaced = None;
        if self.len >= self.most {
            match self.displace(priority, &party) {
                Some(other) => displaced = Some(other),
                None => return Err(Full(call)),
            }
        }
        let number = self.next;
        self.next += 1;
        let level = self.levels.entry(priority).or_insert_with(Level::new);
        let calls = level.calls.entry(party.clone()).or_default();
        if calls.is_empty() {
            level.turns.push_back(party);
        }
        calls.push_back((number, call));
        self.len += 1;
        Ok((Place { priority, number }, displaced))
    }

    /// The call that goes on next.
    pub fn pop(&mut self) -> Option<T> {
        let mut entry = self.levels.first_entry()?;
        let level = entry.get_mut();
        let party = level.turns.pop_front()?;
        let calls = level.calls.get_mut(&party)?;
        let call = calls.pop_front();
        if calls.is_empty() {
            level.calls.remove(&party);
        } else {
            level.turns.push_back(party);
        }
        if level.calls.is_empty() {
            entry.remove();
        }
        self.len -= usize::from(call.is_some());
        call.map(|(_, call)| call)
    }

    /// Takes out a call that waits no longer; `None` if it has gone on already.
    pub fn remove(&mut self, place: Place) -> Option<T> {
        let level = self.levels.get(&place.priority)?;
        let at = level.calls.iter().find_map(|(party, calls)| {
            let at = calls.binary_search_by_key(&place.number, |(number, _)| *number).ok()?;
            Some((party.clone(), at))
        });
        let (party, at) = at?;
        self.take(place.priority, &party, at)
    }

    /// Makes room by the newest call of the party that holds most, at this priority or a lower one.
    fn displace(&mut self, priority: u8, party: &P) -> Option<T> {
        let held = |party: &P| -> usize {
            self.levels.values().filter_map(|level| level.calls.get(party)).map(VecDeque::len).sum()
        };
        let own = held(party);
        // The lowest priority that waits; within it the party with most in all.
        let (lowest, level) = self.levels.range(priority..).next_back()?;
        let victim = level.turns.iter().max_by_key(|other| held(other))?;
        if *lowest == priority && (victim == party || held(victim) <= own + 1) {
            return None;
        }
        let (lowest, victim) = (*lowest, victim.clone());
        let newest = self.levels.get(&lowest)?.calls.get(&victim)?.len().checked_sub(1)?;
        self.take(lowest, &victim, newest)
    }

    fn take(&mut self, priority: u8, party: &P, at: usize) -> Option<T> {
        let level = self.levels.get_mut(&priority)?;
        let calls = level.calls.get_mut(party)?;
        let (_, call) = calls.remove(at)?;
        if calls.is_empty() {
            level.calls.remove(party);
            level.turns.retain(|other| other != party);
        }
        if level.calls.is_empty() {
            self.levels.remove(&priority);
        }
        self.len -= 1;
        Some(call)
    }
}

impl<P, T> Level<P, T> {
    fn new() -> Self {
        Self { turns: VecDeque::new(), calls: HashMap::new() }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;

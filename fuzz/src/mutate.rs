//! Bytes changed at random, repeatably. JSON is mostly changed into other JSON: what no parser takes is read by
//! nothing behind it.

use std::ops::Range;

use crate::places;

/// Longer inputs are cut.
const LONGEST: usize = 64 << 10;
const MOST_PLACES: usize = 4096;

/// Values that readers stumble over.
const TOKENS: [&str; 44] = [
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "1e999",
    "-0",
    "1e-7",
    "4294967296",
    "9007199254740993",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "\"\"",
    "\" \"",
    "\"a\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"\\\\\"",
    "\"\u{1F600}\"",
    "\"\u{feff}\"",
    "\"data:image/png;base64,iVBORw0=\"",
    "\"data:,\"",
    "\"{}\"",
    "\"{\\\"a\\\":1}\"",
    "\"[\"",
    "[]",
    "{}",
    "[[]]",
    "[null]",
    "[{}]",
    "{\"\":null}",
    "{\"type\":null}",
    "{\"type\":\"text\"}",
    "{\"type\":\"text\",\"text\":\"a\"}",
    "[\"a\",1]",
    "{\"a\":{\"a\":{\"a\":[]}}}",
    "\n",
    "\r",
    "data: ",
    "data: [DONE]\n\n",
    ",",
    "\n\n",
];

/// A source of random numbers that is the same for the same seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `bound`; 0 where there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.draw() % bound.max(1) as u64) as usize
    }

    /// One of `all`.
    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }

    fn range(&mut self, length: usize) -> Range<usize> {
        let start = self.below(length + 1);
        let most = (length - start).min(1 << self.below(9));
        start..start + self.below(most + 1)
    }
}

/// `bytes` after a few changes; `other` is another input, `words` are what inputs of this kind say.
#[must_use]
pub fn mutated(bytes: &[u8], other: &[u8], words: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        change(&mut bytes, other, words, random);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], words: &[Vec<u8>], random: &mut Random) {
    match random.below(16) {
        0 => {
            let at = random.below(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => bytes.truncate(random.below(bytes.len() + 1)),
        2 => {
            let at = random.below(bytes.len() + 1);
            bytes.splice(at..at, token(words, random));
        }
        3 => {
            bytes.truncate(random.below(bytes.len() + 1));
            bytes.extend_from_slice(&other[random.below(other.len() + 1)..]);
        }
        4 => drop(bytes.drain(random.range(bytes.len()))),
        5 => {
            let piece = bytes[random.range(bytes.len())].to_vec();
            let at = random.below(bytes.len() + 1);
            bytes.splice(at..at, piece);
        }
        6..=8 => change_frames(bytes, random),
        _ => change_values(bytes, other, words, random),
    }
}

fn token(words: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    if random.below(2) == 0 {
        return random.one_of(words).cloned().unwrap_or_default();
    }
    random.one_of(&TOKENS).copied().unwrap_or_default().as_bytes().to_vec()
}

/// A frame less, twice, or elsewhere.
fn change_frames(bytes: &mut Vec<u8>, random: &mut Random) {
    let frames = places::frames(bytes);
    let (Some(one), Some(other)) = (random.one_of(&frames).cloned(), random.one_of(&frames).cloned()) else {
        return;
    };
    let frame = bytes[one.clone()].to_vec();
    match random.below(3) {
        0 => drop(bytes.drain(one)),
        1 => drop(bytes.splice(other.start..other.start, frame)),
        _ if one.end <= other.start => {
            bytes.splice(other.start..other.start, frame);
            bytes.drain(one);
        }
        _ => {}
    }
}

/// A value replaced, a member removed, a member or element given twice.
fn change_values(bytes: &mut Vec<u8>, other: &[u8], words: &[Vec<u8>], random: &mut Random) {
    let values = places::values(bytes, MOST_PLACES);
    let Some(place) = random.one_of(&values).cloned() else { return };
    match random.below(8) {
        0 => drop(bytes.drain(places::member(bytes, &place))),
        1 => {
            let member = places::member(bytes, &place);
            let mut copy = bytes[member.clone()].to_vec();
            if copy.last() != Some(&b',') {
                copy.push(b',');
            }
            bytes.splice(member.start..member.start, copy);
        }
        2 => {
            let from = random.one_of(&values).map(|from| bytes[from.clone()].to_vec()).unwrap_or_default();
            bytes.splice(place, from);
        }
        3 => {
            let values = places::values(other, MOST_PLACES);
            let from = random.one_of(&values).map(|from| other[from.clone()].to_vec()).unwrap_or_default();
            bytes.splice(place, from);
        }
        4 => {
            let levels = 1 << random.below(12);
            let deep = ["[".repeat(levels), "]".repeat(levels)].concat();
            bytes.splice(place, deep.into_bytes());
        }
        _ => drop(bytes.splice(place, token(words, random))),
    }
}

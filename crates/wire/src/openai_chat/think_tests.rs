//! However the text is cut, the same characters are reasoning.

use proptest::prelude::*;

use super::{Piece, Splitter};

fn split(pieces: &[&str]) -> (String, String) {
    let (mut thinking, mut answer) = (String::new(), String::new());
    let mut emit = |piece, text: &str| match piece {
        Piece::Thinking => thinking.push_str(text),
        Piece::Answer => answer.push_str(text),
    };
    let mut splitter = Splitter::default();
    for piece in pieces {
        splitter.push(piece, &mut emit);
    }
    splitter.end(&mut emit);
    (thinking, answer)
}

#[test]
fn only_a_leading_tag_is_reasoning() {
    for (text, thinking, answer) in [
        ("<think>a</think>b", "a", "b"),
        ("\n <think>\na\n</think>\n\nb", "\na\n", "\n\nb"),
        ("<think></think>b", "", "b"),
        ("<think>cut </thi", "cut </thi", ""),
        ("x <think>a</think>", "", "x <think>a</think>"),
        ("<thinking>", "", "<thinking>"),
        ("<thi", "", "<thi"),
        ("  ", "", "  "),
        ("<think>a</think>b</think><think>c", "a", "b</think><think>c"),
    ] {
        assert_eq!(split(&[text]), (thinking.to_owned(), answer.to_owned()), "{text:?}");
    }
}

#[test]
fn text_beside_separate_reasoning_is_left_alone() {
    let mut splitter = Splitter::default();
    splitter.off();
    let mut answer = String::new();
    splitter.push("<think>x", &mut |piece, text| {
        assert_eq!(piece, Piece::Answer);
        answer.push_str(text);
    });
    assert_eq!(answer, "<think>x");
}

#[test]
fn blanks_are_not_held_for_ever() {
    let mut splitter = Splitter::default();
    let mut seen = 0;
    for _ in 0..100 {
        splitter.push(" ", &mut |_, text| seen += text.len());
    }
    assert!(seen > 30, "{seen}");
}

proptest! {
    #[test]
    fn any_cut_gives_the_same(parts in prop::collection::vec("<think>|</think>|<|/|think>| |[a-zü]{1,3}", 0..12), size in 1_usize..5) {
        let text = parts.concat();
        let characters: Vec<char> = text.chars().collect();
        let pieces: Vec<String> = characters.chunks(size).map(|chunk| chunk.iter().collect()).collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        prop_assert_eq!(split(&pieces), split(&[&text]));
    }
}

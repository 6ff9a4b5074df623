//! Streams of a container cut where no fixture cuts them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;
use crate::chat::{Block, Role, Turn};
use crate::fold::fold;
use crate::laws::Laws;

const STREAM: &str = concat!(
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"häl\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo 🙂\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n",
);

fn decoder() -> Box<dyn StreamDecoder> {
    let turn = Turn::new(Role::User, vec![Block::Text("hi".to_owned())]);
    let request = ChatRequest { turns: vec![turn], stream: true, ..ChatRequest::default() };
    let target = Target { model: "endpoint", call_id: "call" };
    EndpointChat.encode(&request, &target).unwrap().reader.stream()
}

/// The events of `parts`, each in a message of its own, through the framing that the bytes take.
fn read(parts: &[&[u8]]) -> (Vec<ChatEvent>, Finish) {
    let (mut decoder, mut events) = (decoder(), Vec::new());
    for part in parts {
        let message = crate::frame::aws_message("PayloadPart", part);
        let mut cutter = Cutter::new(Framing::AwsEvents, 1 << 20);
        cutter.push(message);
        let cut = cutter.next().unwrap().unwrap();
        let mut scratch = String::new();
        let frame = cut.frame(&mut scratch).unwrap().unwrap();
        assert_eq!(frame.data, STANDARD.encode(part));
        decoder.frame(&frame, &mut events);
    }
    let finish = decoder.end(&mut events);
    let mut laws = Laws::default();
    for event in &events {
        laws.check(event).unwrap();
    }
    (events, finish)
}

#[test]
fn an_event_without_its_blank_line_is_read_at_the_end() {
    let cut = STREAM.trim_end();
    let (events, finish) = read(&[cut.as_bytes()]);
    assert_eq!(finish, Finish::Complete);
    assert_eq!(fold(&events).choices[0].blocks, [Block::Text("hällo 🙂".to_owned())]);
}

proptest! {
    #[test]
    fn parts_may_be_cut_inside_events_and_letters(cuts in prop::collection::vec(0..STREAM.len(), 0..12)) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let (mut parts, mut from) = (Vec::new(), 0);
        for cut in cuts.into_iter().chain([STREAM.len()]) {
            parts.push(&STREAM.as_bytes()[from..cut]);
            from = cut;
        }
        let (events, finish) = read(&parts);
        prop_assert_eq!(finish, Finish::Complete);
        prop_assert_eq!(&fold(&events).choices[0].blocks, &[Block::Text("hällo 🙂".to_owned())]);
    }
}

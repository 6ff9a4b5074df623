use super::*;

fn body_of(scenario: Scenario) -> serde_json::Value {
    let request = scenario.request("sk-test");
    let at = memchr::memmem::find(&request, b"\r\n\r\n").unwrap();
    serde_json::from_slice(&request[at + 4..]).unwrap()
}

#[test]
fn requests_have_the_published_sizes_and_are_json() {
    for (scenario, bytes, messages) in [
        (Scenario::Chat, 1_025, 2),
        (Scenario::Big, 409_600, 102),
        (Scenario::Stream, 1_025, 2),
        (Scenario::Paced, 1_025, 2),
    ] {
        let request = scenario.request("sk-test");
        let announced = format!("content-length: {bytes}\r\n\r\n");
        let at = memchr::memmem::find(&request, announced.as_bytes()).expect("content-length");
        assert_eq!(request.len() - at - announced.len(), bytes);
        assert_eq!(body_of(scenario)["messages"].as_array().map(Vec::len), Some(messages));
    }
}

#[test]
fn only_streams_ask_for_a_stream() {
    assert_eq!(body_of(Scenario::Stream)["stream"], true);
    assert!(body_of(Scenario::Chat).get("stream").is_none());
}

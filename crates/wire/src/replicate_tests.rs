//! How far a prediction is, and what is no prediction.

use super::*;
use crate::chat::Block;

fn told(status: &str, more: &str) -> Result<Progress, String> {
    progress(format!(r#"{{"id":"p","status":"{status}"{more}}}"#).as_bytes())
        .map_err(|error| error.to_string())
}

#[test]
fn a_prediction_is_asked_for_again_until_it_ends() {
    let urls = r#","output":null,"urls":{"get":"https://api.replicate.com/v1/predictions/p","stream":"https://s/p","cancel":"https://c/p"}"#;
    for status in ["starting", "processing"] {
        let Ok(Progress::Poll { url, after, stream, cancel }) = told(status, urls) else {
            panic!("{status}")
        };
        assert_eq!(url, "https://api.replicate.com/v1/predictions/p");
        assert_eq!((stream.as_deref(), cancel.as_deref()), (Some("https://s/p"), Some("https://c/p")));
        assert_eq!(after, Duration::from_millis(500));
    }
    let Ok(Progress::Done(response)) = told("succeeded", r#","output":["a","b"]"#) else { panic!() };
    assert_eq!(response.choices[0].blocks, [Block::Text("ab".to_owned())]);
    assert_eq!((response.id.as_str(), response.usage), ("p", None));
}

#[test]
fn a_failed_prediction_says_why() {
    for (status, more, message) in [
        ("failed", r#","error":"CUDA out of memory""#, "CUDA out of memory"),
        ("canceled", r#","error":null"#, "the prediction canceled"),
    ] {
        let Ok(Progress::Failed(fault)) = told(status, more) else { panic!("{status}") };
        assert_eq!((fault.message.as_str(), fault.status), (message, 500));
    }
}

#[test]
fn what_is_no_prediction_is_an_error() {
    for (body, error) in [
        ("<html>", "body: expected value at line 1 column 1"),
        ("[]", "body: must be an object"),
        ("{}", "status: is no status of a prediction"),
        (r#"{"status":"starting"}"#, "urls.get: is required"),
    ] {
        assert_eq!(progress(body.as_bytes()).unwrap_err().to_string(), error);
    }
}

fn streamed(frames: &[(&str, &str)]) -> (Vec<ChatEvent>, Finish) {
    let (mut decoder, mut events) = (Box::new(StreamedPrediction).stream(), Vec::new());
    for (event, data) in frames {
        if matches!(decoder.frame(&Frame { event, data }, &mut events), Read::Terminal | Read::Failed(_)) {
            break;
        }
    }
    let finish = decoder.end(&mut events);
    let mut laws = crate::laws::Laws::default();
    for event in &events {
        laws.check(event).unwrap();
    }
    (events, finish)
}

#[test]
fn a_prediction_can_be_streamed() {
    let said = [("output", "Light"), ("output", " scatters,\n\nmostly."), ("logs", "{}"), ("done", "{}")];
    let (events, finish) = streamed(&said);
    assert_eq!(finish, Finish::Complete);
    let choice = &fold(&events).choices[0];
    assert_eq!(choice.blocks, [Block::Text("Light scatters,\n\nmostly.".to_owned())]);
    assert_eq!(choice.stop, Some(Stop::End));
    assert_eq!(streamed(&said[..2]).1, Finish::Truncated);
    for (event, data, message) in [
        ("error", r#"{"detail":"CUDA out of memory"}"#, "CUDA out of memory"),
        ("error", "CUDA out of memory", "CUDA out of memory"),
        ("done", r#"{"reason":"canceled"}"#, "the prediction ended: canceled"),
    ] {
        let Finish::Failed(fault) = streamed(&[said[0], (event, data)]).1 else { panic!("{data}") };
        assert_eq!(fault.message, message);
    }
}

#[test]
fn only_replicates_own_api_streams_elsewhere() {
    assert!(streams_at("api.replicate.com", "stream.replicate.com"));
    for (api, host) in [
        ("api.replicate.com", "stream.replicate.com.evil.example"),
        ("api.replicate.com", "evilreplicate.com"),
        ("replicate.example", "stream.replicate.com"),
    ] {
        assert!(!streams_at(api, host), "{api} {host}");
    }
}

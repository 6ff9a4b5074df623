//! A short run of every target, the same each time.
#![cfg(test)]

use std::time::Duration;

use tollgate_fuzz::engine::{Bound, run};
use tollgate_fuzz::targets;

/// Beside the seeds themselves. The machine may be busy, so only an input that takes very long fails.
const MUTATED: u64 = 2000;
const LONGEST: Duration = Duration::from_secs(60);

fn short(name: &str) {
    let all = targets::all().unwrap();
    let target = all.iter().find(|target| target.name == name).unwrap();
    let inputs = target.seeds.len() as u64 + MUTATED;
    match run(target, 1, Bound::Inputs(inputs), LONGEST, |_| {}) {
        Ok(tally) => {
            assert_eq!(tally.inputs, inputs);
            assert!(tally.kinds > 10, "only {} kinds of outcome: the inputs do not get far", tally.kinds);
        }
        Err(failure) => {
            let text = String::from_utf8_lossy(&failure.input.bytes).into_owned();
            panic!("{} (seed {}) for\n{text}", failure.what, failure.input.seed);
        }
    }
}

macro_rules! short {
    ($($name:ident)*) => {
        $(#[test] fn $name() { short(stringify!($name)) })*

        #[test]
        fn no_target_is_forgotten() {
            let names: Vec<_> = targets::all().unwrap().iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

short! {
    frames_sse frames_lines frames_aws
    requests_chat requests_completions requests_responses requests_messages requests_gemini
    replies streams
    embed_requests embed_replies rerank_requests rerank_replies
    envelope errors meters chains quirks
}

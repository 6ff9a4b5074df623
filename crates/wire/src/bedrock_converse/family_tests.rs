//! Ids of the public catalog, and what their models take.

use super::{Family, Forcing, Kind};

#[test]
fn families_are_read_off_ids() {
    for (model, kind) in [
        ("anthropic.claude-3-haiku-20240307-v1:0", Kind::Claude),
        ("converse/us-east-1/us.anthropic.claude-sonnet-4-5-20250929-v1:0", Kind::Claude),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-opus-4-7", Kind::Claude),
        ("us.amazon.nova-pro-v1:0", Kind::Nova),
        ("global.amazon.nova-2-lite-v1:0", Kind::Nova2),
        ("us.meta.llama3-3-70b-instruct-v1:0", Kind::Llama),
        ("llama/arn:aws:bedrock:us-east-1:1:imported-model/x", Kind::Llama),
        ("mistral.mistral-large-2407-v1:0", Kind::Mistral),
        ("us.deepseek.r1-v1:0", Kind::DeepSeekR1),
        ("deepseek.v3-v1:0", Kind::DeepSeek),
        ("openai.gpt-oss-120b-1:0", Kind::GptOss),
        ("global.openai.gpt-6-sol", Kind::Gpt),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/a1", Kind::Other),
    ] {
        assert_eq!(Family::of(model).kind(), kind, "{model}");
    }
}

#[test]
fn capabilities_follow_the_family() {
    let of = Family::of;
    assert!(!of("anthropic.claude-3-haiku-20240307-v1:0").caches());
    assert!(of("us.amazon.nova-pro-v1:0").caches() && !of("us.amazon.nova-pro-v1:0").caches_tools());
    assert!(
        of("anthropic.claude-sonnet-5").takes_schema()
            && !of("us-gov.anthropic.claude-sonnet-5").takes_schema()
    );
    assert!(!of("anthropic.claude-opus-5").takes_schema());
    assert_eq!(of("meta.llama3-1-8b-instruct-v1:0").forcing(), Forcing::No);
    assert_eq!(of("arn:aws:bedrock:us-east-1:1:application-inference-profile/a1").forcing(), Forcing::Named);
    assert!(
        !of("us.openai.gpt-5.4").takes_result_images() && of("us.amazon.nova-pro-v1:0").takes_result_images()
    );
}

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec(".{0,40}", 20)
}

fn circumstances() -> impl Strategy<Value = Charge<'static>> {
    let pricing = prop_oneof![
        Just(Pricing::Unpriced),
        Just(Pricing::Priced),
        Just(Pricing::Free),
        Just(Pricing::Cached)
    ];
    (vec(".{0,20}", 0..Charge::MAX_TAGS), any::<(u16, Option<u64>, bool, Option<bool>)>(), pricing).prop_map(
        |(tags, (status, first_token_ms, stream, cache_hit), pricing)| Charge {
            tags: tags.into(),
            status,
            first_token_ms,
            stream,
            cache_hit,
            pricing,
            ..Charge::default()
        },
    )
}

fn usages() -> impl Strategy<Value = Usage> {
    let tier = prop_oneof![Just(Tier::Standard), Just(Tier::Flex), Just(Tier::Priority)];
    (any::<[u64; 10]>(), tier, any::<Option<u64>>()).prop_map(|(counts, tier, reported_cost_nano)| Usage {
        input: counts[0],
        output: counts[1],
        cache_read: counts[2],
        cache_write: counts[3],
        cache_write_1h: counts[4],
        reasoning: counts[5],
        audio_input: counts[6],
        audio_output: counts[7],
        searches: counts[8],
        search_units: counts[9],
        tier,
        reported_cost_nano,
    })
}

fn charges() -> impl Strategy<Value = Charge<'static>> {
    let ending = prop_oneof![Just(Ending::Complete), Just(Ending::Abandoned), Just(Ending::Failed)];
    let numbers = any::<(u64, u64, u32)>();
    (texts(), numbers, option::of(usages()), any::<Option<i64>>(), ending, circumstances()).prop_map(
        |(texts, (ended_unix_ms, duration_ms, retries), usage, cost, ending, rest)| {
            let mut texts = texts.into_iter().map(Cow::Owned);
            let mut text = || texts.next().unwrap();
            Charge {
                call: text(),
                ended_unix_ms,
                model_group: text(),
                deployment: text(),
                provider: text(),
                upstream_model: text(),
                operation: text(),
                caller: text(),
                usage,
                cost: cost.map(Cost::from_nano),
                ending,
                duration_ms,
                retries,
                route: text(),
                key_alias: text(),
                user: text(),
                team: text(),
                organization: text(),
                project: text(),
                end_user: text(),
                api_base: text(),
                session: text(),
                requester_ip: text(),
                response_id: text(),
                error_class: text(),
                error_message: text(),
                ..rest
            }
        },
    )
}

fn encoded(charge: &Charge<'_>) -> Vec<u8> {
    let mut payload = Vec::new();
    encode(charge, &mut payload);
    payload
}

/// How many bytes the first programs did not write.
fn later(charge: &Charge<'_>) -> usize {
    let mut out = Vec::new();
    whose(charge, &mut out);
    super::circumstances(charge, &mut out);
    out.len()
}

fn example() -> Charge<'static> {
    Charge {
        call: "c1".into(),
        ended_unix_ms: 300,
        model_group: "g".into(),
        deployment: "d".into(),
        provider: "p".into(),
        upstream_model: "m".into(),
        operation: "chat".into(),
        caller: "".into(),
        usage: Some(Usage { input: 7, output: 200, reported_cost_nano: Some(5), ..Usage::default() }),
        cost: Some(Cost::from_nano(-2)),
        ending: Ending::Abandoned,
        duration_ms: 9,
        retries: 1,
        ..Charge::default()
    }
}

/// [`example`] as the first programs wrote it.
const FIRST: &[u8] = b"\x01\xac\x02\x02c1\x01g\x01d\x01p\x01m\x04chat\x00\x01\x09\x01\
    \x01\x03\
    \x01\x07\xc8\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x05";

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(charge in charges()) {
        prop_assert_eq!(decode(&encoded(&charge)), Ok(charge));
    }

    #[test]
    fn fields_of_later_programs_are_skipped(charge in charges(), later in vec(any::<u8>(), 1..50)) {
        let mut payload = encoded(&charge);
        payload.extend(later);
        prop_assert_eq!(decode(&payload), Ok(charge));
    }

    #[test]
    fn a_cut_payload_is_an_error(charge in charges()) {
        let payload = encoded(&charge);
        let first = payload.len() - later(&charge);
        for length in (0..payload.len()).filter(|length| *length != first) {
            prop_assert!(decode(&payload[..length]).is_err(), "{length} of {} bytes", payload.len());
        }
    }

    #[test]
    fn any_bytes_can_be_decoded(mut payload in vec(any::<u8>(), 1..300)) {
        payload[0] = VERSION;
        if let Ok(charge) = decode(&payload) {
            prop_assert_eq!(decode(&encoded(&charge)), Ok(charge));
        }
    }
}

#[test]
fn the_format_does_not_change() {
    let charge = Charge {
        route: "acompletion".into(),
        user: "u".into(),
        tags: vec!["a".to_owned(), "bc".to_owned()].into(),
        status: 200,
        first_token_ms: Some(3),
        stream: true,
        cache_hit: Some(false),
        pricing: Pricing::Priced,
        ..example()
    };
    let mut expected = FIRST.to_vec();
    expected.extend(
        b"\x0bacompletion\x00\x01u\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
        \x02\x01a\x02bc\xc8\x01\x01\x03\x01\x01\x01",
    );
    assert_eq!(encoded(&charge), expected);
}

#[test]
fn records_of_the_first_programs_are_read() {
    assert_eq!(decode(FIRST), Ok(example()));
}

#[test]
fn the_longest_charge_fits_a_record() {
    let long = || Cow::Owned("x".repeat(10_000));
    let charge = Charge {
        call: long(),
        model_group: long(),
        deployment: long(),
        provider: long(),
        upstream_model: long(),
        operation: long(),
        caller: long(),
        route: long(),
        key_alias: long(),
        user: long(),
        team: long(),
        organization: long(),
        project: long(),
        end_user: long(),
        api_base: long(),
        session: long(),
        requester_ip: long(),
        response_id: long(),
        error_class: long(),
        error_message: long(),
        tags: vec!["t".repeat(10_000); 1_000].into(),
        ended_unix_ms: u64::MAX,
        duration_ms: u64::MAX,
        retries: u32::MAX,
        first_token_ms: Some(u64::MAX),
        usage: Some(Usage {
            input: u64::MAX,
            output: u64::MAX,
            cache_read: u64::MAX,
            cache_write: u64::MAX,
            cache_write_1h: u64::MAX,
            reasoning: u64::MAX,
            audio_input: u64::MAX,
            audio_output: u64::MAX,
            searches: u64::MAX,
            search_units: u64::MAX,
            tier: Tier::Flex,
            reported_cost_nano: Some(u64::MAX),
        }),
        cost: Some(Cost::MAX),
        ..Charge::default()
    };
    let payload = encoded(&charge);
    assert!(payload.len() < 15 << 10, "{}", payload.len());
    let read = decode(&payload).unwrap();
    assert_eq!((read.tags.len(), read.tags[0].len()), (Charge::MAX_TAGS, 128));
}

#[test]
fn a_free_call_is_not_an_unpriced_call() {
    for cost in [None, Some(Cost::ZERO)] {
        let charge = Charge { cost, ..example() };
        assert_eq!(decode(&encoded(&charge)).unwrap().cost, cost);
    }
}

#[test]
fn an_absurd_text_is_cut_between_characters() {
    let charge =
        Charge { model_group: "é".repeat(300).into(), caller: "x".repeat(100_000).into(), ..example() };
    let read = decode(&encoded(&charge)).unwrap();
    assert_eq!(read.model_group, "é".repeat(256));
    assert_eq!(read.caller, "x".repeat(512));

    let odd = Charge { model_group: format!("x{}", "é".repeat(300)).into(), ..example() };
    assert_eq!(decode(&encoded(&odd)).unwrap().model_group, format!("x{}", "é".repeat(255)));
}

#[test]
fn the_fault_is_named() {
    let mut payload = encoded(&example());
    payload[0] = 2;
    assert_eq!(decode(&payload), Err(CodecError::Version(2)));

    payload[0] = VERSION;
    payload[4] = 0xff; // the first byte of "c1"
    assert_eq!(decode(&payload), Err(CodecError::Field("call")));
}

#[test]
fn a_number_that_does_not_fit_is_an_error() {
    let number = |bytes: &[u8]| Fields(bytes).number("input");
    let largest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(number(&largest), Ok(u64::MAX));
    let mut too_large = largest;
    too_large[9] = 0x02;
    assert_eq!(number(&too_large), Err(CodecError::Field("input")));
    assert_eq!(number(&[0x80; 11]), Err(CodecError::Field("input")));
}

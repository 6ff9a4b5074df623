use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

/// A Thursday, 1970-01-01 00:00 UTC.
const MIDNIGHT: u64 = 0;
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

fn fields(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn catalog(row: Value) -> Prices {
    Prices::read("openai", &[], Some(&fields(row))).unwrap()
}

fn custom(own: Value, row: Value) -> Prices {
    Prices::read("openai", &[&fields(own)], Some(&fields(row))).unwrap()
}

fn chat_at(prices: &Prices, usage: Usage, now: u64) -> Option<(String, String)> {
    let charge = prices.cost(Operation::Chat, &usage, Duration::from_millis(1_500), now)?;
    assert_eq!(charge.input.saturating_add(charge.output), charge.total);
    Some((charge.input.to_string(), charge.output.to_string()))
}

#[track_caller]
fn assert_chat(prices: &Prices, usage: Usage, input: &str, output: &str) {
    assert_eq!(chat_at(prices, usage, MIDNIGHT), Some((input.to_owned(), output.to_owned())));
}

fn used(input: u64, output: u64) -> Usage {
    Usage { input, output, ..Usage::default() }
}

fn sonnet() -> Value {
    json!({
        "input_cost_per_token": 3e-6, "output_cost_per_token": 1.5e-5,
        "cache_read_input_token_cost": 3e-7, "cache_creation_input_token_cost": 3.75e-6,
        "cache_creation_input_token_cost_above_1hr": 6e-6,
    })
}

#[test]
fn cache_reads_and_writes_have_their_own_rates() {
    let prices = catalog(sonnet());
    let usage = Usage { cache_read: 600, cache_write: 200, ..used(1_000, 100) };
    assert_chat(&prices, usage, "0.00153", "0.0015");
    let usage = Usage { cache_write: 400, cache_write_1h: 600, ..used(1_000, 0) };
    assert_chat(&prices, usage, "0.0051", "0");
    let gpt = json!({"input_cost_per_token": 2.5e-6, "output_cost_per_token": 1e-5,
        "cache_read_input_token_cost": 1.25e-6});
    let charge =
        catalog(gpt).cost(Operation::Chat, &Usage { cache_read: 4, ..used(10, 5) }, Duration::ZERO, MIDNIGHT);
    assert_eq!(charge.unwrap().total.to_string(), "0.00007");
}

#[test]
fn a_missing_rate_falls_back_and_a_zero_is_free() {
    let all = Usage {
        cache_read: 10,
        cache_write: 10,
        cache_write_1h: 10,
        audio_input: 10,
        audio_output: 10,
        reasoning: 10,
        ..used(100, 100)
    };
    let plain = json!({"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6});
    assert_chat(&catalog(plain.clone()), all, "0.0001", "0.0002");
    let free_reads = custom(json!({"cache_read_input_token_cost": 0}), plain.clone());
    assert_chat(&free_reads, all, "0.00009", "0.0002");
    let write_only = custom(json!({"cache_creation_input_token_cost": "5e-6"}), plain.clone());
    assert_chat(&write_only, all, "0.00018", "0.0002");
    let fireworks = Prices::read("fireworks_ai", &[], Some(&fields(plain))).unwrap();
    assert_chat(&fireworks, all, "0.000095", "0.0002");
    let free = catalog(json!({"input_cost_per_token": 0, "output_cost_per_token": 0.0}));
    assert_chat(&free, all, "0", "0");
}

#[test]
fn what_was_cached_is_not_billed_a_second_time() {
    let own = json!({"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6, "cache_read_input_token_cost": 0});
    let usage = Usage { cache_read: 800, ..used(1000, 0) };
    assert_chat(&custom(own.clone(), json!({})), usage, "0.0002", "0");
    assert_chat(&catalog(own), usage, "0.0002", "0");
}

#[test]
fn no_known_price_is_unpriced_never_free() {
    assert_eq!(chat_at(&Prices::default(), used(1, 1), MIDNIGHT), None);
    assert_eq!(chat_at(&catalog(json!({"mode": "chat", "max_input_tokens": 9})), used(0, 0), MIDNIGHT), None);
    let half = catalog(json!({"input_cost_per_token": 1e-6, "output_cost_per_token": null}));
    assert_eq!(chat_at(&half, used(10, 1), MIDNIGHT), None);
    let embedding = half.cost(Operation::Embedding, &used(10, 1), Duration::ZERO, MIDNIGHT).unwrap();
    assert_eq!((embedding.total.to_string(), embedding.output), ("0.00001".to_owned(), Cost::ZERO));
    let images = catalog(json!({"input_cost_per_image": 0.1}));
    assert!(!images.is_known());
}

#[test]
fn models_on_the_operators_own_machine_cost_nothing_unless_priced() {
    let local = |own: Value| Prices::read("ollama", &[&fields(own)], None).unwrap();
    assert_chat(&local(json!({})), used(1_000, 1_000), "0", "0");
    assert_chat(
        &local(json!({"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6})),
        used(1, 2),
        "0.000001",
        "0.000002",
    );
}

#[test]
fn reasoning_and_sound_are_inside_the_totals() {
    let prices = catalog(json!({
        "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "output_cost_per_reasoning_token": 3e-6,
        "input_cost_per_audio_token": 1e-5, "output_cost_per_audio_token": 2e-5,
    }));
    let usage = Usage { reasoning: 50, audio_input: 10, audio_output: 10, ..used(100, 100) };
    assert_chat(&prices, usage, "0.00019", "0.00043");
    // Cached sound is counted twice by some providers and billed once.
    let nested = Usage { cache_read: 90, audio_input: 90, ..used(100, 0) };
    assert_chat(&prices, nested, "0.00019", "0");
}

#[test]
fn a_long_prompt_reprices_the_whole_call() {
    let row = json!({
        "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-5, "cache_read_input_token_cost": 1e-7,
        "input_cost_per_token_above_200k_tokens": 2e-6, "output_cost_per_token_above_200k_tokens": 2e-5,
        "input_cost_per_token_above_300k_tokens": 3e-6,
    });
    let prices = catalog(row.clone());
    assert_chat(&prices, used(200_000, 10), "0.2", "0.0001");
    assert_chat(&prices, used(200_001, 10), "0.400002", "0.0002");
    assert_chat(&prices, used(300_001, 10), "0.900003", "0.0002");
    let cached = Usage { cache_read: 200_001, ..used(200_001, 0) };
    assert_chat(&prices, cached, "0.0200001", "0");
    let xai = Prices::read("xai", &[], Some(&fields(row))).unwrap();
    assert_chat(&xai, used(200_000, 10), "0.4", "0.0002");
    let bare = catalog(json!({"input_cost_per_token": 1e-6, "input_cost_per_token_above_128_tokens": 2e-6}));
    assert_chat(&bare, used(129, 0), "0.000258", "0");
}

#[test]
fn an_hour_long_write_steps_up_with_the_prompt() {
    let mut row = fields(sonnet());
    row.insert("cache_creation_input_token_cost_above_1hr_above_100k_tokens".to_owned(), json!(1e-5));
    let prices = Prices::read("anthropic", &[], Some(&row)).unwrap();
    let written = |tokens| Usage { cache_write_1h: tokens, ..used(tokens, 0) };
    assert_chat(&prices, written(100_000), "0.6", "0");
    assert_chat(&prices, written(200_000), "2", "0");
}

#[test]
fn tiered_pricing_keeps_its_upper_bound_and_knows_no_service_tiers() {
    let prices = catalog(json!({
        "input_cost_per_token": 9e-3, "input_cost_per_token_priority": 9e-3,
        "tiered_pricing": [
            {"range": [32000.0, 128000.0], "input_cost_per_token": 1.8e-6, "output_cost_per_token": 9e-6},
            {"range": [0, 32000.0], "input_cost_per_token": 1e-6, "output_cost_per_token": 5e-6,
             "cache_read_input_token_cost": 1e-7, "output_cost_per_reasoning_token": 6e-6},
        ],
    }));
    assert_chat(&prices, used(32_000, 1), "0.032", "0.000005");
    assert_chat(&prices, used(32_001, 1), "0.0576018", "0.000009");
    assert_chat(&prices, used(500_000, 0), "0.9", "0");
    assert_chat(&prices, used(0, 1), "0", "0.000005");
    assert_chat(&prices, Usage { cache_read: 10, reasoning: 1, ..used(10, 1) }, "0.000001", "0.000006");
    assert_chat(&prices, Usage { cache_read: 40_000, ..used(40_000, 0) }, "0.072", "0");
    assert_chat(&prices, Usage { tier: Tier::Priority, ..used(10, 0) }, "0.00001", "0");
}

#[test]
fn the_served_tier_is_priced() {
    let prices = catalog(json!({
        "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "output_cost_per_reasoning_token": 3e-6,
        "input_cost_per_token_priority": 2e-6, "output_cost_per_token_priority": 4e-6,
        "input_cost_per_token_flex": 5e-7,
        "input_cost_per_token_above_200k_tokens": 1e-5, "input_cost_per_token_above_200k_tokens_priority": 2e-5,
    }));
    let at = |tier, usage| Usage { tier, ..usage };
    assert_chat(&prices, at(Tier::Standard, used(100, 100)), "0.0001", "0.0002");
    assert_chat(&prices, at(Tier::Priority, used(100, 100)), "0.0002", "0.0004");
    assert_chat(&prices, at(Tier::Flex, used(100, 100)), "0.00005", "0.0002");
    let long = used(200_001, 0);
    assert_chat(&prices, at(Tier::Priority, long), "4.00002", "0");
    assert_chat(&prices, at(Tier::Flex, long), "2.00001", "0");
    // Reasoning: the tier's output rate beats the standard reasoning rate.
    let thought = |tier| Usage { reasoning: 100, tier, ..used(0, 100) };
    assert_chat(&prices, thought(Tier::Priority), "0", "0.0004");
    assert_chat(&prices, thought(Tier::Flex), "0", "0.0003");
}

#[test]
fn a_tier_that_a_row_does_not_price_costs_the_standard_rate() {
    let usage = Usage { tier: Tier::Priority, ..used(10, 10) };
    assert_chat(&catalog(sonnet()), usage, "0.00003", "0.00015");
}

#[test]
fn off_peak_rates_replace_the_others_while_the_window_is_open() {
    let prices = catalog(json!({
        "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "cache_read_input_token_cost": 5e-7,
        "off_peak_pricing": {
            "input_cost_per_token": 1e-7,
            "weekday_timezone": "Asia/Shanghai",
            "windows": [
                {"hours_utc": ["22:00-01:00", "12:00-12:30"], "weekdays": [1, 2, "Wed", "thursday", 5]},
                {"hours_utc": "00:00-00:00", "weekdays": [6, 7]},
            ],
        },
    }));
    let usage = Usage { cache_read: 10, ..used(20, 10) };
    for (now, off_peak) in [
        (MIDNIGHT, true),
        (HOUR - 1, true),
        (HOUR, false),
        (12 * HOUR, true),
        (12 * HOUR + 1_800, false),
        (22 * HOUR - 1, false),
        (22 * HOUR, true),
        // Friday 15:59 UTC is Friday in Shanghai, 16:00 is Saturday.
        (DAY + 16 * HOUR - 1, false),
        (DAY + 16 * HOUR, true),
        (3 * DAY + 15 * HOUR, true),
        (3 * DAY + 16 * HOUR, false),
    ] {
        let input = if off_peak { "0.000006" } else { "0.000015" };
        assert_eq!(chat_at(&prices, usage, now), Some((input.to_owned(), "0.00002".to_owned())), "{now}");
    }
}

#[test]
fn time_is_billed_only_where_tokens_are_not() {
    let tokens = json!({"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6});
    let timed = json!({"input_cost_per_second": 0.001, "output_cost_per_second": 0.002});
    assert_chat(&custom(timed.clone(), tokens.clone()), used(10, 10), "0.0015", "0.003");
    assert_chat(&custom(tokens, timed.clone()), used(10, 10), "0.00001", "0.00001");
    assert_chat(&catalog(timed), used(10, 10), "0.0015", "0.003");
    // Provisioned throughput repeats its price under two names.
    let provisioned = json!({"cost_per_second": 0.0011, "input_cost_per_second": 0.0011});
    assert_chat(&catalog(provisioned), used(10, 10), "0.00165", "0");
}

#[test]
fn the_operators_fields_win_and_the_catalog_fills_the_rest() {
    let parameters = fields(json!({"input_cost_per_token": "2e-6", "output_cost_per_token": null}));
    let info = fields(json!({"input_cost_per_token": 9, "output_cost_per_token": 4e-6}));
    let prices = Prices::read("openai", &[&parameters, &info], Some(&fields(sonnet()))).unwrap();
    assert!(prices.is_custom());
    assert_chat(&prices, Usage { cache_read: 10, ..used(20, 10) }, "0.000023", "0.00004");
}

#[test]
fn the_catalogs_lists_do_not_replace_the_operators_rate() {
    let row = json!({
        "tiered_pricing": [{"range": [0, 1000], "input_cost_per_token": 9e-6, "output_cost_per_token": 9e-6}],
        "off_peak_pricing": {"hours_utc": "00:00-00:00", "input_cost_per_token": 8e-6},
    });
    let own = json!({"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6});
    assert_chat(&custom(own, row.clone()), used(10, 10), "0.00001", "0.00001");
    assert_chat(&catalog(row), used(10, 10), "0.00008", "0.00009");
}

#[test]
fn the_providers_own_cost_wins_unless_prices_are_custom() {
    let usage = Usage { reported_cost_nano: Some(9_000), ..used(100, 50) };
    let row = json!({"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6});
    assert_chat(&catalog(row.clone()), usage, "0.000006", "0.000003");
    assert_chat(&custom(row.clone(), row), usage, "0.0001", "0.00005");
    assert_chat(&Prices::default(), usage, "0", "0.000009");
    assert_chat(&Prices::FREE, usage, "0", "0");
    let absurd = Usage { reported_cost_nano: Some(u64::MAX), ..usage };
    assert_eq!(
        Prices::default().cost(Operation::Chat, &absurd, Duration::ZERO, MIDNIGHT).unwrap().total,
        Cost::MAX
    );
}

#[test]
fn prices_that_cannot_be_read_name_their_field() {
    for (row, message) in [
        (json!({"input_cost_per_token": -1e-6}), "input_cost_per_token is negative"),
        (json!({"output_cost_per_token": "cheap"}), "output_cost_per_token is not a decimal number"),
        (
            json!({"input_cost_per_token": 1, "output_cost_per_token_flex": 1e9}),
            "output_cost_per_token_flex is absurdly large",
        ),
        (
            json!({"input_cost_per_token": 1, "cache_read_input_token_cost_above_200k_tokens": []}),
            "cache_read_input_token_cost_above_200k_tokens is not a decimal number",
        ),
        (
            json!({"tiered_pricing": [{"range": [0, 5]}, {"range": [5]}]}),
            "tiered_pricing[1] has no range of two numbers",
        ),
        (
            json!({"tiered_pricing": [{"range": [0, 5], "input_cost_per_token": "x"}]}),
            "tiered_pricing[0].input_cost_per_token is not a decimal number",
        ),
        (json!({"input_cost_per_token": 1, "tiered_pricing": {}}), "tiered_pricing is not a list"),
        (json!({"input_cost_per_second": "x"}), "input_cost_per_second is not a decimal number"),
        (json!({"input_cost_per_token": 1, "off_peak_pricing": 3}), "off_peak_pricing is not a mapping"),
        (
            json!({"input_cost_per_token": 1, "off_peak_pricing": {"hours_utc": "25:00-26:00"}}),
            "off_peak_pricing.hours_utc needs hours_utc such as \"22:00-06:00\" and weekdays from 1 to 7",
        ),
        (
            json!({"input_cost_per_token": 1, "off_peak_pricing": {"windows": [{"hours_utc": "1:00-2:00", "weekdays": [8]}]}}),
            "off_peak_pricing.windows needs hours_utc such as \"22:00-06:00\" and weekdays from 1 to 7",
        ),
        (
            json!({"input_cost_per_token": 1,
            "off_peak_pricing": {"hours_utc": "1:00-2:00", "weekday_timezone": "America/New_York"}}),
            "off_peak_pricing.weekday_timezone is not a zone known to have a fixed distance from UTC",
        ),
    ] {
        let error = Prices::read("openai", &[&fields(row.clone())], None).expect_err(&row.to_string());
        assert_eq!(error.to_string(), message);
    }
}

fn any_usage() -> impl Strategy<Value = Usage> {
    let tokens = prop_oneof![Just(0), 0_u64..500_000, any::<u64>()];
    let tier = prop_oneof![Just(Tier::Standard), Just(Tier::Flex), Just(Tier::Priority)];
    (prop::collection::vec(tokens, 8), tier).prop_map(|(n, tier)| Usage {
        input: n[0],
        output: n[1],
        cache_read: n[2],
        cache_write: n[3],
        cache_write_1h: n[4],
        reasoning: n[5],
        audio_input: n[6],
        audio_output: n[7],
        searches: 0,
        search_units: 0,
        tier,
        reported_cost_nano: None,
    })
}

proptest! {
    #[test]
    fn any_usage_has_a_cost_and_its_parts_add_up(usage in any_usage(), now in any::<u64>()) {
        let charge = catalog(sonnet()).cost(Operation::Chat, &usage, Duration::MAX, now).unwrap();
        prop_assert!(charge.input >= Cost::ZERO && charge.output >= Cost::ZERO);
        prop_assert_eq!(charge.input.saturating_add(charge.output), charge.total);
    }

    #[test]
    fn one_rate_for_everything_bills_every_token_once(
        input in 0_u64..1_000_000,
        output in 0_u64..1_000_000,
        shares in prop::array::uniform4(0_u64..=25),
    ) {
        let usage = Usage {
            cache_read: input * shares[0] / 100,
            cache_write: input * shares[1] / 100,
            cache_write_1h: input * shares[2] / 100,
            audio_input: input * shares[3] / 100,
            reasoning: output * shares[0] / 100,
            audio_output: output * shares[1] / 100,
            ..used(input, output)
        };
        let prices = catalog(json!({"input_cost_per_token": 1e-9, "output_cost_per_token": 1e-9}));
        let charge = prices.cost(Operation::Chat, &usage, Duration::ZERO, MIDNIGHT).unwrap();
        prop_assert_eq!(charge.total.nano() as u64, input + output);
    }
}

fn ranking(prices: &Prices, usage: Usage) -> Option<String> {
    let charge = prices.cost(Operation::Rerank, &usage, Duration::from_millis(5), MIDNIGHT)?;
    assert_eq!((charge.input, charge.output), (charge.total, Cost::ZERO));
    Some(charge.total.to_string())
}

#[test]
fn a_ranking_costs_its_units_of_search_or_its_tokens() {
    let units = |search_units| Usage { search_units, ..Usage::default() };
    let cohere =
        json!({"input_cost_per_query": 0.002, "input_cost_per_token": 0, "output_cost_per_token": 0});
    let voyage = json!({"input_cost_per_token": 5e-8, "output_cost_per_token": 0});
    let only = json!({"input_cost_per_query": 0.001});
    let free = json!({"input_cost_per_query": 0, "input_cost_per_token": 0});
    for (row, usage, cost) in [
        (&cohere, units(1), Some("0.002")),
        (&cohere, units(3), Some("0.006")),
        (&cohere, Usage { search_units: 2, ..used(500, 0) }, Some("0.004")),
        // A question is at least one unit.
        (&cohere, used(500, 0), Some("0.002")),
        (&only, units(2), Some("0.002")),
        (&free, units(2), Some("0")),
        (&voyage, used(1_000, 0), Some("0.00005")),
        (&voyage, Usage { search_units: 1, ..used(1_000, 20) }, Some("0.00005")),
        // Units are no tokens.
        (&voyage, units(2), None),
        (&json!({"output_cost_per_token": 1e-6}), used(10, 0), None),
        (&json!({"mode": "rerank"}), units(1), None),
    ] {
        assert_eq!(ranking(&catalog(row.clone()), usage).as_deref(), cost, "{row} {usage:?}");
    }
    assert!(catalog(only.clone()).is_known());
    assert_eq!(chat_at(&catalog(only), used(1, 0), MIDNIGHT), None);
}

#[test]
fn an_operators_price_of_a_ranking_replaces_the_catalogs() {
    let cohere =
        json!({"input_cost_per_query": 0.002, "input_cost_per_token": 0, "output_cost_per_token": 0});
    let usage = Usage { search_units: 1, ..used(1_000, 0) };
    let by_query = custom(json!({"input_cost_per_query": "0.01"}), cohere.clone());
    assert!(by_query.is_custom());
    assert_eq!(ranking(&by_query, usage).as_deref(), Some("0.01"));
    let by_token = custom(json!({"input_cost_per_token": 1e-6}), cohere);
    assert_eq!(ranking(&by_token, usage).as_deref(), Some("0.001"));
    let voyage = json!({"input_cost_per_token": 5e-8, "output_cost_per_token": 0});
    assert_eq!(
        ranking(&custom(json!({"input_cost_per_query": 0.01}), voyage), usage).as_deref(),
        Some("0.01")
    );
    let wrong = Prices::read("cohere", &[&fields(json!({"input_cost_per_query": "cheap"}))], None);
    assert!(wrong.unwrap_err().to_string().starts_with("input_cost_per_query"));
}

#[test]
fn searches_are_paid_beside_the_tokens() {
    let priced = |rates: Value| {
        let mut row = json!({"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6});
        row.as_object_mut().unwrap().extend(fields(rates));
        fields(row)
    };
    let sizes = json!({"search_context_cost_per_query": {"search_context_size_low": 0.01,
        "search_context_size_medium": 0.02, "search_context_size_high": 0.03}});
    let with = |more: Value| {
        let mut sizes = sizes.clone();
        sizes.as_object_mut().unwrap().extend(fields(more));
        sizes
    };
    for (provider, rates, searches, output) in [
        ("anthropic", sizes.clone(), 3, Some("0.06002")),
        ("anthropic", sizes.clone(), 0, Some("0.00002")),
        ("perplexity", sizes.clone(), 2, Some("0.02002")),
        // Gemini 2 bills a prompt that was searched for, Gemini 3 each search.
        ("gemini", sizes.clone(), 3, Some("0.02002")),
        ("gemini", with(json!({"web_search_billing_unit": "per_query"})), 3, Some("0.06002")),
        ("vertex_ai", with(json!({"litellm_provider": "vertex_ai-language-models"})), 3, Some("0.02002")),
        ("vertex_ai", with(json!({"litellm_provider": "vertex_ai-anthropic_models"})), 3, Some("0.06002")),
        (
            "openai",
            json!({"search_context_cost_per_query": {"search_context_size_high": 1}}),
            1,
            Some("1.00002"),
        ),
        // What no row says is the vendor's list price, or unknown.
        ("gemini", json!({}), 5, Some("0.03502")),
        ("xai", json!({}), 2, Some("0.01002")),
        ("openai", json!({}), 0, Some("0.00002")),
        ("openai", json!({}), 1, None),
        ("openai", json!({"search_context_cost_per_query": {}}), 1, None),
    ] {
        let prices = Prices::read(provider, &[], Some(&priced(rates.clone()))).unwrap();
        let usage = Usage { searches, ..used(10, 10) };
        let said = chat_at(&prices, usage, MIDNIGHT).map(|(input, output)| {
            assert_eq!(input, "0.00001");
            output
        });
        assert_eq!(said.as_deref(), output, "{provider} {rates}");
    }
    let wrong = Prices::read("openai", &[], Some(&priced(json!({"search_context_cost_per_query": 0.01}))));
    assert!(matches!(wrong, Err(PriceError::Shape { .. })), "{wrong:?}");
}

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn rate(text: &str) -> Rate {
    Rate::parse(text).expect(text)
}

#[test]
fn a_rate_is_the_decimal_that_was_written() {
    for (written, plain) in [
        (json!("3e-7"), "0.0000003"),
        (json!(3e-7), "0.0000003"),
        (json!("1.25E-6"), "0.00000125"),
        (json!(0), "0"),
        (json!(2), "2.000"),
        (json!("+.5"), "0.5"),
        (json!("5."), "5"),
        (json!(" 0.1 "), "0.1"),
        (json!(5.000_000_000_000_000_4e-8), "5e-8"),
        (json!(2.384185791015625e-08), "0.000000023841857910"),
        (json!("-0.0"), "0"),
        (json!("1e-99"), "0"),
        (json!("1000000"), "1e6"),
    ] {
        assert_eq!(Rate::from_json(&written), Ok(rate(plain)), "{written}");
    }
}

#[test]
fn what_is_not_a_rate_is_refused_with_the_reason() {
    for (written, why) in [
        (json!(-1e-6), MoneyError::Negative),
        (json!("-3"), MoneyError::Negative),
        (json!("NaN"), MoneyError::NotANumber),
        (json!("inf"), MoneyError::NotANumber),
        (json!(""), MoneyError::NotANumber),
        (json!("."), MoneyError::NotANumber),
        (json!("1e"), MoneyError::NotANumber),
        (json!("1e999999999999"), MoneyError::NotANumber),
        (json!("--1"), MoneyError::NotANumber),
        (json!("1_000"), MoneyError::NotANumber),
        (json!("0x10"), MoneyError::NotANumber),
        (json!(true), MoneyError::NotANumber),
        (json!([1]), MoneyError::NotANumber),
        (json!("1000000.000000000000000001"), MoneyError::TooLarge),
        (json!(1e300), MoneyError::TooLarge),
        (json!("9".repeat(60)), MoneyError::TooLarge),
        (json!("1".repeat(65)), MoneyError::NotANumber),
    ] {
        assert_eq!(Rate::from_json(&written), Err(why), "{written}");
    }
}

#[test]
fn costs_print_as_plain_decimals() {
    for (nano, text) in [
        (0, "0"),
        (70_000, "0.00007"),
        (1, "0.000000001"),
        (1_500_000_000, "1.5"),
        (100_000_000_000, "100"),
        (-250_000_000, "-0.25"),
        (i64::MIN, "-9223372036.854775808"),
    ] {
        assert_eq!(Cost::from_nano(nano).to_string(), text);
    }
}

#[test]
fn half_a_nano_dollar_rounds_up_and_less_rounds_down() {
    assert_eq!(rate("5e-10").times(1).round(), Cost::from_nano(1));
    assert_eq!(rate("4.99999999e-10").times(1).round(), Cost::ZERO);
    assert_eq!(rate("1.3e-10").times(3).round(), Cost::ZERO);
    assert_eq!(rate("1.3e-10").times(1_000_000).round(), Cost::from_nano(130_000));
}

#[test]
fn a_hostile_count_is_dear_not_cheap() {
    let all = rate("1000000").times(u64::MAX);
    assert_eq!((all + all).round(), Cost::MAX);
    assert_eq!(Cost::MAX.saturating_add(Cost::from_nano(1)), Cost::MAX);
    assert_eq!(Cost::MAX.checked_add(Cost::from_nano(1)), None);
    assert_eq!([Cost::MAX, Cost::MAX].into_iter().sum::<Cost>(), Cost::MAX);
}

#[test]
fn time_is_billed_to_the_fraction_of_a_second() {
    assert_eq!(rate("0.0001").for_duration(Duration::from_millis(2_500)).round(), Cost::from_nano(250_000));
}

#[test]
fn budgets_are_read_in_dollars() {
    assert_eq!(Cost::from_json(&json!(0.1)), Ok(Cost::from_nano(100_000_000)));
    assert_eq!(Cost::from_json(&json!("25")), Ok(Cost::from_nano(25_000_000_000)));
    assert_eq!(Cost::from_json(&json!(1e10)), Err(MoneyError::TooLarge));
    assert_eq!(Cost::from_json(&json!(-1)), Err(MoneyError::Negative));
}

proptest! {
    #[test]
    fn display_and_reading_agree(nano in 0_i64..) {
        let cost = Cost::from_nano(nano);
        prop_assert_eq!(Cost::from_json(&json!(cost.to_string())), Ok(cost));
    }

    #[test]
    fn any_text_is_answered(text in "[-+0-9.eE]{0,70}") {
        if let Ok(read) = Rate::parse(&text) {
            prop_assert!(read <= rate("1e6"));
        }
    }

    #[test]
    fn a_float_in_json_is_read_as_its_shortest_text(digits in 1_u32..1_000_000, power in 1_i32..18) {
        let text = format!("{digits}e-{power}");
        let float: f64 = text.parse().unwrap();
        prop_assert_eq!(Rate::from_json(&json!(float)), Rate::parse(&text));
    }

    #[test]
    fn json_shows_the_same_decimal(nano in 0_i64..1_000_000_000_000_000) {
        let cost = Cost::from_nano(nano);
        let shown: f64 = cost.to_string().parse().unwrap();
        prop_assert_eq!(cost.as_f64(), shown);
    }
}

//! Reads [`Prices`] from the field names of configuration files and the catalog. All looking up and falling
//! back happens here, once; what a call costs is decided by the result alone.

use serde_json::{Map, Value};
use wire::reply::Tier;

use super::hours::Hours;
use super::search::Search;
use super::{Basis, OffPeak, Plan, Plans, PriceError, Prices, Rates, Tokens};
use crate::money::Rate;

type Fields = Map<String, Value>;

const INPUT: &str = "input_cost_per_token";
const OUTPUT: &str = "output_cost_per_token";
const CACHE_READ: &str = "cache_read_input_token_cost";
const CACHE_WRITE: &str = "cache_creation_input_token_cost";
const CACHE_WRITE_1H: &str = "cache_creation_input_token_cost_above_1hr";
const AUDIO_INPUT: &str = "input_cost_per_audio_token";
const AUDIO_OUTPUT: &str = "output_cost_per_audio_token";
const REASONING: &str = "output_cost_per_reasoning_token";
/// The hour-long write stands before the write, whose name begins its own.
const PER_TOKEN: [&str; 8] =
    [INPUT, OUTPUT, CACHE_READ, CACHE_WRITE_1H, CACHE_WRITE, AUDIO_INPUT, AUDIO_OUTPUT, REASONING];

const INPUT_SECOND: &str = "input_cost_per_second";
const OUTPUT_SECOND: &str = "output_cost_per_second";
/// Provisioned throughput; rows that have it repeat the same number as `input_cost_per_second`.
const SECOND: &str = "cost_per_second";
const PER_SECOND: [&str; 3] = [INPUT_SECOND, OUTPUT_SECOND, SECOND];

/// For a unit of search, where a reranker counts in them.
const QUERY: &str = "input_cost_per_query";

const TIERED: &str = "tiered_pricing";
const OFF_PEAK: &str = "off_peak_pricing";

/// Providers whose models run on the operator's own machine, or bill elsewhere by the hour.
const WITHOUT_METER: [&str; 7] =
    ["ollama", "ollama_chat", "lemonade", "llamafile", "lm_studio", "docker_model_runner", "huggingface"];

/// More steps than any price list has.
const MAX_STEPS: usize = 32;

impl Prices {
    /// Reads the prices of a deployment of `provider` (its routing prefix).
    ///
    /// `custom` are the operator's own fields, the most important first (`litellm_params`, then `model_info`);
    /// `catalog` is the row of the model, if there is one. A field that stands in an earlier map hides the same
    /// field of later ones. The catalog's `tiered_pricing` and `off_peak_pricing` replace flat rates, so they are
    /// left out as soon as the operator states a flat rate.
    pub fn read(provider: &str, custom: &[&Fields], catalog: Option<&Fields>) -> Result<Self, PriceError> {
        let own = Layers { rows: custom.to_vec() };
        let all = Layers { rows: custom.iter().copied().chain(catalog).collect() };
        let own_tokens = own.has_token_price();
        let by_time = (own.has_any(&PER_SECOND) && !own_tokens) || !all.has_token_price();
        let basis = if by_time && all.has_any(&PER_SECOND) {
            Basis::Time {
                input: all.rate(INPUT_SECOND)?.or(all.rate(SECOND)?).unwrap_or_default(),
                output: all.rate(OUTPUT_SECOND)?.unwrap_or_default(),
            }
        } else if all.has_token_price() {
            let shape = if own.has_any(&[INPUT, OUTPUT]) { &own } else { &all };
            tokens(provider, &all, shape)?
        } else if WITHOUT_METER.contains(&provider) {
            Basis::Free
        } else {
            Basis::Unknown
        };
        Ok(Self { custom: own_tokens || own.has_any(&PER_SECOND), basis })
    }
}

fn tokens(provider: &str, rates: &Layers<'_>, shape: &Layers<'_>) -> Result<Basis, PriceError> {
    let book = |reduced| Book { provider, rates, shape, reduced };
    let plans = book(None).plans()?;
    let off_peak = match shape.get(OFF_PEAK) {
        None => None,
        Some(Value::Object(reduced)) => {
            let hours = Hours::read(OFF_PEAK, reduced)?;
            Some(OffPeak { hours, plans: book(Some(reduced)).plans()? })
        }
        Some(_) => return Err(shape_error(OFF_PEAK, "is not a mapping")),
    };
    // An operator's price for a token takes the place of the catalog's for a query.
    let query = shape.rate(QUERY)?;
    Ok(Basis::Tokens(Box::new(Tokens { plans, off_peak, query, search: Search::read(provider, rates)? })))
}

/// Rows of fields; an earlier row hides the same field of a later one. `null` is absent.
pub(super) struct Layers<'a> {
    rows: Vec<&'a Fields>,
}

impl<'a> Layers<'a> {
    pub(super) fn get(&self, field: &str) -> Option<&'a Value> {
        self.rows.iter().filter_map(|row| row.get(field)).find(|value| !value.is_null())
    }

    fn rate(&self, field: &str) -> Result<Option<Rate>, PriceError> {
        self.get(field).map(|value| amount(field, value)).transpose()
    }

    fn has_any(&self, fields: &[&str]) -> bool {
        fields.iter().any(|field| self.get(field).is_some())
    }

    fn has_token_price(&self) -> bool {
        self.has_any(&PER_TOKEN) || self.has_any(&[QUERY]) || token_tiers(self.get(TIERED)).is_some()
    }

    fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.rows.iter().flat_map(|row| row.keys().map(String::as_str))
    }
}

/// One price list: the rows, and the reduced rates that replace theirs off peak.
struct Book<'a> {
    provider: &'a str,
    rates: &'a Layers<'a>,
    shape: &'a Layers<'a>,
    reduced: Option<&'a Fields>,
}

/// A prompt length from which `…_above_<label>_tokens` applies.
struct Step<'a> {
    from: u64,
    label: &'a str,
}

impl Book<'_> {
    fn plans(&self) -> Result<Plans, PriceError> {
        if self.shape.get(TIERED).is_some_and(|tiers| !tiers.is_array()) {
            return Err(shape_error(TIERED, "is not a list"));
        }
        if let Some(tiers) = token_tiers(self.shape.get(TIERED)) {
            return self.tiers(tiers);
        }
        let steps = self.steps()?;
        let base = self.resolve(Tier::Standard, &[])?;
        let mut rest = Vec::new();
        for tier in [Tier::Standard, Tier::Flex, Tier::Priority] {
            if tier != Tier::Standard {
                if !self.rates.keys().any(|key| priced(key) && key.ends_with(suffix(tier))) {
                    continue;
                }
                rest.push(Plan { tier, from: 0, rates: self.resolve(tier, &[])? });
            }
            for crossed in 1..=steps.len() {
                let steps = &steps[..crossed];
                let from = steps.last().map_or(0, |step| step.from);
                rest.push(Plan { tier, from, rates: self.resolve(tier, steps)? });
            }
        }
        Ok(Plans { base, rest: rest.into() })
    }

    /// The steps that any field names, by rising length.
    fn steps(&self) -> Result<Vec<Step<'_>>, PriceError> {
        let mut steps: Vec<Step<'_>> = self.rates.keys().filter_map(|key| self.step(key)).collect();
        steps.sort_by_key(|step| step.from);
        steps.dedup_by_key(|step| step.from);
        if steps.len() > MAX_STEPS {
            return Err(shape_error(INPUT, "has too many steps by prompt length"));
        }
        Ok(steps)
    }

    fn step<'k>(&self, key: &'k str) -> Option<Step<'k>> {
        let (label, end) = PER_TOKEN
            .iter()
            .find_map(|name| key.strip_prefix(name)?.strip_prefix("_above_")?.split_once("_tokens"))?;
        if !["", "_flex", "_priority"].contains(&end) {
            return None;
        }
        let (number, unit) = match label.strip_suffix('k') {
            Some(number) => (number, 1_000),
            None => (label, 1),
        };
        let above = number.parse::<u64>().ok()?.saturating_mul(unit);
        // xAI's price list says "from 200k", everybody else's "above 200k".
        let from = if self.provider == "xai" { above } else { above.saturating_add(1) };
        Some(Step { from, label })
    }

    /// The rates of a tier after `crossed` steps, with every fall-back applied.
    fn resolve(&self, tier: Tier, crossed: &[Step<'_>]) -> Result<Rates, PriceError> {
        let rate = |name| self.rate(name, tier, crossed);
        let (input, output) = (rate(INPUT)?, rate(OUTPUT)?);
        let cache_write = rate(CACHE_WRITE)?.or(input);
        let reasoning = match tier {
            Tier::Standard => None,
            Tier::Flex | Tier::Priority => {
                self.named(REASONING, suffix(tier), crossed)?.or(self.named(OUTPUT, suffix(tier), crossed)?)
            }
        };
        Ok(Rates {
            input,
            output,
            cache_read: rate(CACHE_READ)?.or(self.unlisted_cache_read(input)),
            cache_write,
            cache_write_1h: rate(CACHE_WRITE_1H)?.or(cache_write),
            audio_input: rate(AUDIO_INPUT)?.or(input),
            audio_output: rate(AUDIO_OUTPUT)?.or(output),
            reasoning: reasoning.or(rate(REASONING)?).or(output),
        })
    }

    fn unlisted_cache_read(&self, input: Option<Rate>) -> Option<Rate> {
        if self.provider.starts_with("fireworks_ai") { input.map(Rate::half) } else { input }
    }

    /// The rate of a tier after `crossed` steps: the highest step that has one, the tier's own before the
    /// standard one.
    fn rate(&self, name: &str, tier: Tier, crossed: &[Step<'_>]) -> Result<Option<Rate>, PriceError> {
        if let Some(rate) = self.reduced(name)? {
            return Ok(Some(rate));
        }
        let tiers = if tier == Tier::Standard { &[""][..] } else { &[suffix(tier), ""][..] };
        let stepped = crossed.iter().rev().map(|step| format!("{name}_above_{}_tokens", step.label));
        for stem in stepped.chain([name.to_owned()]) {
            for suffix in tiers {
                if let Some(rate) = self.rates.rate(&format!("{stem}{suffix}"))? {
                    return Ok(Some(rate));
                }
            }
        }
        Ok(None)
    }

    /// The rate that a tier names itself, or the reduced one.
    fn named(&self, name: &str, suffix: &str, crossed: &[Step<'_>]) -> Result<Option<Rate>, PriceError> {
        if let Some(rate) = self.reduced(name)? {
            return Ok(Some(rate));
        }
        for step in crossed.iter().rev() {
            if let Some(rate) = self.rates.rate(&format!("{name}_above_{}_tokens{suffix}", step.label))? {
                return Ok(Some(rate));
            }
        }
        self.rates.rate(&format!("{name}{suffix}"))
    }

    fn reduced(&self, name: &str) -> Result<Option<Rate>, PriceError> {
        let value = self.reduced.and_then(|fields| fields.get(name)).filter(|value| !value.is_null());
        value.map(|value| amount(&format!("{OFF_PEAK}.{name}"), value)).transpose()
    }

    /// `tiered_pricing`: whole lists by prompt length, which know no service tiers.
    fn tiers(&self, tiers: &[Value]) -> Result<Plans, PriceError> {
        if tiers.len() > MAX_STEPS {
            return Err(shape_error(TIERED, "has too many entries"));
        }
        let mut plans = Vec::with_capacity(tiers.len());
        for (index, tier) in tiers.iter().enumerate() {
            let field = format!("{TIERED}[{index}]");
            let fields = tier.as_object().ok_or_else(|| shape_error(&field, "is not a mapping"))?;
            let lower =
                lower_bound(fields).ok_or_else(|| shape_error(&field, "has no range of two numbers"))?;
            let rates = self.tier_rates(&field, fields)?;
            plans.push(Plan { tier: Tier::Standard, from: lower.saturating_add(1), rates });
        }
        plans.sort_by_key(|plan| plan.from);
        let base = plans.first().map_or(Rates::default(), |plan| plan.rates);
        Ok(Plans { base, rest: plans.into() })
    }

    fn tier_rates(&self, field: &str, tier: &Fields) -> Result<Rates, PriceError> {
        let rate = |name: &str| match (self.reduced(name)?, tier.get(name)) {
            (Some(rate), _) => Ok(Some(rate)),
            (None, Some(value)) => amount(&format!("{field}.{name}"), value).map(Some),
            (None, None) => Ok(None),
        };
        let input = rate(INPUT)?.or(self.rates.rate(INPUT)?);
        let output = rate(OUTPUT)?.or(self.rates.rate(OUTPUT)?);
        let cache_write = rate(CACHE_WRITE)?.or(input);
        Ok(Rates {
            input,
            output,
            cache_read: rate(CACHE_READ)?.or(input),
            cache_write,
            cache_write_1h: rate(CACHE_WRITE_1H)?.or(cache_write),
            audio_input: rate(AUDIO_INPUT)?.or(input),
            audio_output: rate(AUDIO_OUTPUT)?.or(output),
            reasoning: rate(REASONING)?.or(output),
        })
    }
}

/// The list, when its entries are by prompt length. Search prices use the same field by number of results.
fn token_tiers(value: Option<&Value>) -> Option<&[Value]> {
    let list = value?.as_array()?;
    let by_results = list.iter().any(|tier| tier.get("max_results_range").is_some());
    (!list.is_empty() && !by_results).then_some(list)
}

fn lower_bound(tier: &Fields) -> Option<u64> {
    let [lower, upper] = tier.get("range")?.as_array()?.as_slice() else { return None };
    let (lower, upper) = (lower.as_f64()?, upper.as_f64()?);
    (0.0 <= lower && lower < upper).then_some(lower as u64)
}

fn priced(key: &str) -> bool {
    PER_TOKEN.iter().any(|name| key.starts_with(name))
}

const fn suffix(tier: Tier) -> &'static str {
    match tier {
        Tier::Standard => "",
        Tier::Flex => "_flex",
        Tier::Priority => "_priority",
    }
}

pub(super) fn amount(field: &str, value: &Value) -> Result<Rate, PriceError> {
    Rate::from_json(value).map_err(|problem| PriceError::Amount { field: field.to_owned(), problem })
}

pub(super) fn shape_error(field: &str, problem: &'static str) -> PriceError {
    PriceError::Shape { field: field.to_owned(), problem }
}

//! What a call costs: [`Prices`] is read once a snapshot from a deployment's settings and its catalog row,
//! and turns a [`Usage`] into a [`Charge`] with integers only, without allocating.
//!
//! Not here: which catalog row belongs to a deployment ([`crate::catalog`]), discounts and margins.
//!
//! | part of the call | rate | when it is missing |
//! | --- | --- | --- |
//! | text in, text out | `input_cost_per_token`, `output_cost_per_token` | the call is unpriced |
//! | read from the cache | `cache_read_input_token_cost` | the input rate (Fireworks: half of it) |
//! | written to the cache | `cache_creation_input_token_cost` | the input rate |
//! | written for an hour | `…_above_1hr` | the write rate |
//! | sound in, sound out | `input_cost_per_audio_token`, `output_cost_per_audio_token` | the input or output rate |
//! | reasoning | `output_cost_per_reasoning_token` | the output rate |
//! | web search | `search_context_cost_per_query` , by its usual size | the call is unpriced, if it searched |
//! | reranking | `input_cost_per_query` for a unit of search, in the place of the tokens | the input rate |
//!
//! Long prompts (`…_above_200k_tokens`, `tiered_pricing`) re-price the whole call, never only the part above
//! the threshold. A rate that is missing is never zero; a rate that is written as zero is free.

mod hours;
mod read;
mod search;

use std::time::Duration;

use wire::format::Operation;
use wire::reply::{Tier, Usage};

use crate::money::{Cost, Exact, MoneyError, Rate};
use hours::Hours;
use search::Search;

/// What is known about the price of one deployment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
    /// The operator wrote prices down, so they beat what the provider reports.
    custom: bool,
    basis: Basis,
}

/// The money of one call. `input` and `output` add up to `total`, which was rounded once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// For the prompt.
    pub input: Cost,
    /// For the answer.
    pub output: Cost,
    /// For both.
    pub total: Cost,
}

/// A price that cannot be read. Names the field at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// A rate that is no amount of money.
    #[error("{field} {problem}")]
    Amount { field: String, problem: MoneyError },
    /// A structure (`tiered_pricing`, `off_peak_pricing`, …) of the wrong shape.
    #[error("{field} {problem}")]
    Shape { field: String, problem: &'static str },
}

#[derive(Clone, Debug, Default, PartialEq)]
enum Basis {
    #[default]
    Unknown,
    Free,
    /// USD for a second of the call's duration.
    Time {
        input: Rate,
        output: Rate,
    },
    Tokens(Box<Tokens>),
}

#[derive(Clone, Debug, PartialEq)]
struct Tokens {
    plans: Plans,
    off_peak: Option<OffPeak>,
    /// USD for a unit of search of a reranker; it takes the place of the tokens' price.
    query: Option<Rate>,
    /// What the model's own web searches cost.
    search: Option<Search>,
}

#[derive(Clone, Debug, PartialEq)]
struct OffPeak {
    hours: Hours,
    plans: Plans,
}

/// The rates by service tier and prompt length.
#[derive(Clone, Debug, Default, PartialEq)]
struct Plans {
    /// The standard tier, short prompts.
    base: Rates,
    /// Any other, by rising `from` within a tier. A tier that is present at all has a plan from 0.
    rest: Box<[Plan]>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Plan {
    tier: Tier,
    /// The shortest prompt it is for, in tokens.
    from: u64,
    rates: Rates,
}

/// USD for a token, after all fall-backs; absent when not even the fall-back is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Rates {
    input: Option<Rate>,
    output: Option<Rate>,
    cache_read: Option<Rate>,
    cache_write: Option<Rate>,
    cache_write_1h: Option<Rate>,
    audio_input: Option<Rate>,
    audio_output: Option<Rate>,
    reasoning: Option<Rate>,
}

impl Prices {
    /// Costs nothing, by decision.
    pub const FREE: Self = Self { custom: true, basis: Basis::Free };

    /// Whether any price is known. Without one a call is unpriced, unless the provider reports its cost.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        !matches!(self.basis, Basis::Unknown)
    }

    /// Whether the operator set prices for this deployment.
    #[must_use]
    pub const fn is_custom(&self) -> bool {
        self.custom
    }

    /// What a call cost; `None` when it is unpriced.
    ///
    /// `elapsed` is the call's duration, for deployments billed by time; `now` is when it ended, in seconds since
    /// 1970, for off-peak prices.
    #[must_use]
    pub fn cost(&self, operation: Operation, usage: &Usage, elapsed: Duration, now: u64) -> Option<Charge> {
        let computed = self.computed(operation, usage, elapsed, now);
        match usage.reported_cost_nano {
            Some(nano) if !self.custom => Some(Charge::reported(nano, computed)),
            _ => computed,
        }
    }

    /// The most that so many tokens can cost, cached or not, when `tier` is asked for; `None` when it is unpriced.
    /// What is billed by other things than tokens (time, searches) is not foreseen.
    #[must_use]
    pub fn most(&self, operation: Operation, input: u64, output: u64, tier: Tier) -> Option<Cost> {
        match &self.basis {
            Basis::Unknown => None,
            Basis::Free | Basis::Time { .. } => Some(Cost::ZERO),
            Basis::Tokens(tokens) => {
                let output = if operation == Operation::Embedding { 0 } else { output };
                let off_peak = tokens.off_peak.as_ref().map(|off_peak| &off_peak.plans);
                let plans = std::iter::once(&tokens.plans).chain(off_peak);
                let most = plans
                    .flat_map(|plans| plans.reached(input, tier))
                    .map(|rates| rates.most(input, output))
                    .max();
                let query = tokens.query.filter(|_| operation == Operation::Rerank);
                let queries = query.map(|query| query.times(input.div_ceil(500).max(1)));
                Some(most.into_iter().chain(queries).max()?.round())
            }
        }
    }

    /// Whether nothing it can be used for costs anything.
    #[must_use]
    pub fn is_free(&self) -> bool {
        const MANY: u64 = 1 << 30;
        match &self.basis {
            Basis::Unknown | Basis::Time { .. } => false,
            Basis::Free => true,
            Basis::Tokens(tokens) => {
                tokens.query.is_none_or(|query| query == Rate::ZERO)
                    && tokens.search.is_none()
                    && [Tier::Standard, Tier::Flex, Tier::Priority]
                        .into_iter()
                        .all(|tier| self.most(Operation::Chat, MANY, MANY, tier) == Some(Cost::ZERO))
            }
        }
    }

    fn computed(&self, operation: Operation, usage: &Usage, elapsed: Duration, now: u64) -> Option<Charge> {
        match &self.basis {
            Basis::Unknown => None,
            Basis::Free => Some(Charge::default()),
            Basis::Time { input, output } => {
                Some(Charge::rounded(input.for_duration(elapsed), output.for_duration(elapsed)))
            }
            Basis::Tokens(tokens) => {
                let rates = tokens.plans(now).select(usage.tier, usage.input);
                match operation {
                    Operation::Chat | Operation::Completion => {
                        let output = rates.output(usage)? + tokens.searches(usage.searches)?;
                        Some(Charge::rounded(rates.input(usage)?, output))
                    }
                    Operation::Embedding => Some(Charge::rounded(rates.input(usage)?, Exact::default())),
                    Operation::Rerank => {
                        Some(Charge::rounded(tokens.ranking(rates, usage)?, Exact::default()))
                    }
                }
            }
        }
    }
}

impl Tokens {
    fn plans(&self, now: u64) -> &Plans {
        match &self.off_peak {
            Some(off_peak) if off_peak.hours.contain(now) => &off_peak.plans,
            _ => &self.plans,
        }
    }

    /// What so many web searches cost; `None` when their price is not known.
    fn searches(&self, count: u64) -> Option<Exact> {
        match (&self.search, count) {
            (_, 0) => Some(Exact::default()),
            (search, count) => search.as_ref().map(|search| search.cost(count)),
        }
    }

    /// What a ranking costs: its units of search where they have a price (there is at least one), else its tokens.
    /// Units are no tokens: without a price of their own they are unpriced.
    fn ranking(&self, rates: &Rates, usage: &Usage) -> Option<Exact> {
        match self.query {
            Some(query) => Some(query.times(usage.search_units.max(1))),
            None if usage.input == 0 && usage.search_units > 0 => None,
            None => rates.input(usage),
        }
    }
}

impl Charge {
    fn rounded(input: Exact, output: Exact) -> Self {
        let (total, input) = ((input + output).round(), input.round());
        Self { input, output: total.saturating_sub(input), total }
    }

    /// The provider's own total, split as our prices would have split it; all of it is output when they
    /// cannot say.
    fn reported(nano: u64, computed: Option<Self>) -> Self {
        let total = i64::try_from(nano).unwrap_or(i64::MAX);
        let input = match computed {
            Some(ours) if ours.total > Cost::ZERO => {
                let part = i128::from(total) * i128::from(ours.input.nano()) / i128::from(ours.total.nano());
                Cost::from_nano(i64::try_from(part).unwrap_or(total))
            }
            _ => Cost::ZERO,
        };
        let total = Cost::from_nano(total);
        Self { input, output: total.saturating_sub(input), total }
    }
}

impl Plans {
    /// All rates that a prompt of at most this length may come under. A provider may serve it in the standard tier.
    fn reached(&self, prompt: u64, tier: Tier) -> impl Iterator<Item = &Rates> {
        let rest = self
            .rest
            .iter()
            .filter(move |plan| plan.from <= prompt && (plan.tier == Tier::Standard || plan.tier == tier));
        let rest = rest.map(|plan| &plan.rates);
        std::iter::once(&self.base).chain(rest)
    }

    fn select(&self, tier: Tier, prompt: u64) -> &Rates {
        let of = |tier| self.rest.iter().rev().find(move |plan| plan.tier == tier && plan.from <= prompt);
        of(tier).or_else(|| of(Tier::Standard)).map_or(&self.base, |plan| &plan.rates)
    }
}

impl Rates {
    /// What so many tokens cost at the highest rates there are.
    fn most(&self, input: u64, output: u64) -> Exact {
        let inputs = [self.input, self.cache_read, self.cache_write, self.cache_write_1h, self.audio_input];
        let outputs = [self.output, self.reasoning, self.audio_output];
        let highest = |rates: &[Option<Rate>]| rates.iter().flatten().max().copied().unwrap_or_default();
        highest(&inputs).times(input) + highest(&outputs).times(output)
    }

    fn input(&self, usage: &Usage) -> Option<Exact> {
        let cached = usage.cache_read.saturating_add(usage.cache_write).saturating_add(usage.cache_write_1h);
        let rest = usage.input.saturating_sub(cached);
        // Some providers count cached sound both as sound and as cached: it is billed once, as cached.
        let audio = if cached > 0 { usage.audio_input.min(rest) } else { usage.audio_input };
        sum([
            (rest.saturating_sub(audio), self.input),
            (usage.cache_read, self.cache_read),
            (usage.cache_write, self.cache_write),
            (usage.cache_write_1h, self.cache_write_1h),
            (audio, self.audio_input),
        ])
    }

    fn output(&self, usage: &Usage) -> Option<Exact> {
        let text = usage.output.saturating_sub(usage.reasoning).saturating_sub(usage.audio_output);
        sum([(text, self.output), (usage.reasoning, self.reasoning), (usage.audio_output, self.audio_output)])
    }
}

/// The sum of tokens times rates; `None` when a part that was used has no rate.
fn sum<const N: usize>(parts: [(u64, Option<Rate>); N]) -> Option<Exact> {
    parts
        .into_iter()
        .filter(|(tokens, _)| *tokens > 0)
        .try_fold(Exact::default(), |sum, (tokens, rate)| Some(sum + rate?.times(tokens)))
}

/// Whether a field of a deployment is a price: `input_cost_per_token`, `cache_read_input_token_cost`,
/// `output_cost_per_token_above_128k_tokens`, …
#[must_use]
pub fn is_price(field: &str) -> bool {
    field.contains("cost_per_")
        || field.ends_with("_token_cost")
        || field.contains("_token_cost_above_")
        || field == "tiered_pricing"
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

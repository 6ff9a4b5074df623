//! What the web searches cost that a model makes while it answers. Not here: how they are counted, which is the
//! format's matter, and calls whose only purpose is a search.

use serde_json::Value;

use super::PriceError;
use super::read::{Layers, amount, shape_error};
use crate::money::{Exact, Rate};

const SEARCH: &str = "search_context_cost_per_query";
const UNIT: &str = "web_search_billing_unit";
/// The catalog's group of a row; it tells Claude on Vertex AI from Google's own models.
const GROUP: &str = "litellm_provider";

/// USD for a search, as published by the vendors whose rows mostly say nothing.
const UNLISTED: [(&str, &str); 2] = [("gemini", "0.035"), ("xai", "0.005")];

/// The price of searches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Search {
    /// For one.
    rate: Rate,
    /// However many there were, an answer pays for one.
    once: bool,
}

impl Search {
    pub(super) fn read(provider: &str, rates: &Layers<'_>) -> Result<Option<Self>, PriceError> {
        let googles = matches!(provider, "gemini" | "vertex_ai" | "vertex_ai_beta")
            && !rates.get(GROUP).and_then(Value::as_str).is_some_and(|group| group.contains("anthropic"));
        // Gemini 2 bills a prompt that was searched for, Gemini 3 and everybody else each search.
        let once = googles && rates.get(UNIT).and_then(Value::as_str) != Some("per_query");
        let rate = match rates.get(SEARCH) {
            Some(Value::Object(sizes)) => {
                // The size asked for is not known here. Perplexity's rates for more context are in its tokens.
                let order = if provider == "perplexity" {
                    ["low", "medium", "high"]
                } else {
                    ["medium", "low", "high"]
                };
                let size = order.iter().find_map(|size| {
                    let name = format!("search_context_size_{size}");
                    sizes.get_key_value(&name).filter(|(_, value)| !value.is_null())
                });
                size.map(|(name, value)| amount(&format!("{SEARCH}.{name}"), value)).transpose()?
            }
            Some(_) => return Err(shape_error(SEARCH, "is not a mapping")),
            None => {
                let known =
                    UNLISTED.iter().find(|(name, _)| *name == if googles { "gemini" } else { provider });
                known.and_then(|(_, rate)| Rate::parse(rate).ok())
            }
        };
        Ok(rate.map(|rate| Self { rate, once }))
    }

    /// What `count` searches cost, of which there is at least one.
    pub(super) fn cost(&self, count: u64) -> Exact {
        self.rate.times(if self.once { 1 } else { count })
    }
}

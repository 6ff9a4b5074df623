//! A charge as bytes, and back. Framing and checksums are not here but in [`super::frame`].
//!
//! ```text
//! version 1 | ended call model_group deployment provider upstream_model operation caller
//!           | ending | duration_ms retries | cost? | usage?
//!           | route key_alias user team organization project end_user api_base session requester_ip
//!           | response_id error_class error_message | tags | status first_token_ms? stream cache pricing
//!
//! number   = LEB128, 1 to 10 bytes            text = length: number | UTF-8, at most 512 bytes
//! ending   = 0 complete, 1 abandoned, 2 failed
//! cost?    = 0 | 1 number                     zigzag nano-dollars: corrections are negative
//! usage?   = 0 | 1 ten counts, tier, reported cost?     in the order of `wire::reply::Usage`
//! tier     = 0 standard, 1 flex, 2 priority
//! tags     = count: number, at most 32 | texts of at most 128 bytes
//! stream   = 0 | 1             cache   = 0 not asked, 1 miss, 2 hit
//! pricing  = 0 unpriced, 1 priced, 2 free, 3 cached
//! ```
//!
//! The first programs wrote records that end behind the usage: they are read, and what they do not say is
//! unknown. New fields go to the very end; a reader that does not know them skips them, and one that
//! does takes their absence for "unknown". The version changes only if old readers must not read at all.

use std::borrow::Cow;

use policy::money::Cost;
use wire::reply::{Tier, Usage};

use super::charge::{Charge, Ending, Pricing};

const VERSION: u8 = 1;
/// Longer texts are cut: a record must fit, and a charge must not be lost because a name is absurd.
const MAX_TEXT_BYTES: usize = 512;
/// The same for a tag.
const MAX_TAG_BYTES: usize = 128;

/// Why a payload whose checksum is right cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// A version that this program does not know.
    #[error("the record has version {0}, this program reads version {VERSION}")]
    Version(u8),
    /// A field that breaks the format.
    #[error("the field `{0}` of the record is not valid")]
    Field(&'static str),
}

/// Appends the payload of `charge` to `out`.
pub(super) fn encode(charge: &Charge<'_>, out: &mut Vec<u8>) {
    out.push(VERSION);
    number(out, charge.ended_unix_ms);
    text(out, &charge.call);
    text(out, &charge.model_group);
    text(out, &charge.deployment);
    text(out, &charge.provider);
    text(out, &charge.upstream_model);
    text(out, &charge.operation);
    text(out, &charge.caller);
    out.push(match charge.ending {
        Ending::Complete => 0,
        Ending::Abandoned => 1,
        Ending::Failed => 2,
    });
    number(out, charge.duration_ms);
    number(out, u64::from(charge.retries));
    optional(out, charge.cost.map(|cost| zigzag(cost.nano())));
    match charge.usage {
        None => out.push(0),
        Some(used) => {
            out.push(1);
            usage(out, used);
        }
    }
    whose(charge, out);
    circumstances(charge, out);
}

fn whose(charge: &Charge<'_>, out: &mut Vec<u8>) {
    let texts = [
        &charge.route,
        &charge.key_alias,
        &charge.user,
        &charge.team,
        &charge.organization,
        &charge.project,
        &charge.end_user,
        &charge.api_base,
        &charge.session,
        &charge.requester_ip,
        &charge.response_id,
        &charge.error_class,
        &charge.error_message,
    ];
    texts.into_iter().for_each(|it| text(out, it));
    let tags = &charge.tags[..charge.tags.len().min(Charge::MAX_TAGS)];
    number(out, tags.len() as u64);
    tags.iter().for_each(|tag| cut(out, tag, MAX_TAG_BYTES));
}

fn circumstances(charge: &Charge<'_>, out: &mut Vec<u8>) {
    number(out, u64::from(charge.status));
    optional(out, charge.first_token_ms);
    out.push(u8::from(charge.stream));
    out.push(match charge.cache_hit {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    });
    out.push(match charge.pricing {
        Pricing::Unpriced => 0,
        Pricing::Priced => 1,
        Pricing::Free => 2,
        Pricing::Cached => 3,
    });
}

fn usage(out: &mut Vec<u8>, usage: Usage) {
    // Taken apart whole: a count that `wire` learns must not be left out of the ledger in silence.
    let Usage {
        input,
        output,
        cache_read,
        cache_write,
        cache_write_1h,
        reasoning,
        audio_input,
        audio_output,
        searches,
        search_units,
        tier,
        reported_cost_nano,
    } = usage;
    let sound = [audio_input, audio_output];
    for count in [input, output, cache_read, cache_write, cache_write_1h, reasoning].into_iter().chain(sound)
    {
        number(out, count);
    }
    number(out, searches);
    number(out, search_units);
    out.push(match tier {
        Tier::Standard => 0,
        Tier::Flex => 1,
        Tier::Priority => 2,
    });
    optional(out, reported_cost_nano);
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn optional(out: &mut Vec<u8>, value: Option<u64>) {
    match value {
        None => out.push(0),
        Some(value) => {
            out.push(1);
            number(out, value);
        }
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    cut(out, text, MAX_TEXT_BYTES);
}

fn cut(out: &mut Vec<u8>, text: &str, bytes: usize) {
    let kept = &text[..text.floor_char_boundary(bytes)];
    number(out, kept.len() as u64);
    out.extend_from_slice(kept.as_bytes());
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Reads a payload.
pub(super) fn decode(payload: &[u8]) -> Result<Charge<'static>, CodecError> {
    let mut fields = Fields(payload);
    let version = fields.byte("version")?;
    if version != VERSION {
        return Err(CodecError::Version(version));
    }
    let charge = Charge {
        ended_unix_ms: fields.number("ended")?,
        call: fields.text("call")?,
        model_group: fields.text("model_group")?,
        deployment: fields.text("deployment")?,
        provider: fields.text("provider")?,
        upstream_model: fields.text("upstream_model")?,
        operation: fields.text("operation")?,
        caller: fields.text("caller")?,
        ending: match fields.byte("ending")? {
            0 => Ending::Complete,
            1 => Ending::Abandoned,
            2 => Ending::Failed,
            _ => return Err(CodecError::Field("ending")),
        },
        duration_ms: fields.number("duration_ms")?,
        retries: fields.number("retries")?.try_into().map_err(|_| CodecError::Field("retries"))?,
        cost: fields.optional("cost")?.map(|nano| Cost::from_nano(unzigzag(nano))),
        usage: if fields.flag("usage")? { Some(fields.usage()?) } else { None },
        ..Charge::default()
    };
    if fields.0.is_empty() { Ok(charge) } else { fields.later(charge) }
}

/// What is left of a payload.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    /// What the first programs did not write.
    fn later(&mut self, charge: Charge<'static>) -> Result<Charge<'static>, CodecError> {
        Ok(Charge {
            route: self.text("route")?,
            key_alias: self.text("key_alias")?,
            user: self.text("user")?,
            team: self.text("team")?,
            organization: self.text("organization")?,
            project: self.text("project")?,
            end_user: self.text("end_user")?,
            api_base: self.text("api_base")?,
            session: self.text("session")?,
            requester_ip: self.text("requester_ip")?,
            response_id: self.text("response_id")?,
            error_class: self.text("error_class")?,
            error_message: self.text("error_message")?,
            tags: Cow::Owned(self.tags()?),
            status: self.number("status")?.try_into().map_err(|_| CodecError::Field("status"))?,
            first_token_ms: self.optional("first_token")?,
            stream: self.flag("stream")?,
            cache_hit: match self.byte("cache")? {
                0 => None,
                1 => Some(false),
                2 => Some(true),
                _ => return Err(CodecError::Field("cache")),
            },
            pricing: match self.byte("pricing")? {
                0 => Pricing::Unpriced,
                1 => Pricing::Priced,
                2 => Pricing::Free,
                3 => Pricing::Cached,
                _ => return Err(CodecError::Field("pricing")),
            },
            ..charge
        })
    }

    fn tags(&mut self) -> Result<Vec<String>, CodecError> {
        let count = self.number("tags")?;
        if count > Charge::MAX_TAGS as u64 {
            return Err(CodecError::Field("tags"));
        }
        (0..count).map(|_| self.text("tags").map(Cow::into_owned)).collect()
    }

    fn byte(&mut self, field: &'static str) -> Result<u8, CodecError> {
        let (&byte, rest) = self.0.split_first().ok_or(CodecError::Field(field))?;
        self.0 = rest;
        Ok(byte)
    }

    fn flag(&mut self, field: &'static str) -> Result<bool, CodecError> {
        match self.byte(field)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CodecError::Field(field)),
        }
    }

    fn number(&mut self, field: &'static str) -> Result<u64, CodecError> {
        let mut value = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte(field)?;
            let part = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit.
            if part << shift >> shift != part {
                return Err(CodecError::Field(field));
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(CodecError::Field(field))
    }

    fn optional(&mut self, field: &'static str) -> Result<Option<u64>, CodecError> {
        if self.flag(field)? { self.number(field).map(Some) } else { Ok(None) }
    }

    fn text(&mut self, field: &'static str) -> Result<Cow<'static, str>, CodecError> {
        let length = usize::try_from(self.number(field)?).map_err(|_| CodecError::Field(field))?;
        let (text, rest) = self.0.split_at_checked(length).ok_or(CodecError::Field(field))?;
        self.0 = rest;
        let text = str::from_utf8(text).map_err(|_| CodecError::Field(field))?;
        Ok(Cow::Owned(text.to_owned()))
    }

    fn usage(&mut self) -> Result<Usage, CodecError> {
        Ok(Usage {
            input: self.number("input")?,
            output: self.number("output")?,
            cache_read: self.number("cache_read")?,
            cache_write: self.number("cache_write")?,
            cache_write_1h: self.number("cache_write_1h")?,
            reasoning: self.number("reasoning")?,
            audio_input: self.number("audio_input")?,
            audio_output: self.number("audio_output")?,
            searches: self.number("searches")?,
            search_units: self.number("search_units")?,
            tier: match self.byte("tier")? {
                0 => Tier::Standard,
                1 => Tier::Flex,
                2 => Tier::Priority,
                _ => return Err(CodecError::Field("tier")),
            },
            reported_cost_nano: self.optional("reported_cost")?,
        })
    }
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;

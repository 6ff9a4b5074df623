//! The media of a whole request, put where their addresses were.

use std::collections::HashMap;
use std::fmt::Arguments;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{self, StreamExt};
use wire::chat::{Block, ChatRequest, Source};

use super::{Expect, Fetcher, Media, MediaError};

/// Fetches of one request that run at a time.
const AT_ONCE: usize = 6;

/// Addresses of one request.
const MOST: usize = 250;

/// A medium that was not to be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {error}")]
pub struct InlineError {
    /// Where the address stands in what the caller sent, such as `messages[2].content[1]`.
    pub field: String,
    /// What is wrong with it.
    #[source]
    pub error: MediaError,
}

/// One address that must be fetched.
struct Want {
    url: String,
    expect: Expect,
    field: String,
}

/// Replaces [`Source::Url`] by [`Source::Inline`] wherever `must` says of a block and its address that the
/// upstream cannot take it. Equal addresses are fetched once. On an error nothing is replaced.
///
/// # Errors
/// The first medium that was not to be had, by its place in the request.
pub async fn inline(
    request: &mut ChatRequest,
    fetcher: &Fetcher,
    must: impl Fn(&Block, &str) -> bool,
) -> Result<(), InlineError> {
    let wants = wants(request, &must);
    if let Some(Want { field, .. }) = wants.get(MOST) {
        return Err(InlineError { field: field.clone(), error: MediaError::TooMany(MOST) });
    }
    let limit = fetcher.policy().most_request_bytes;
    let mut total = 0_usize;
    let mut fetched: HashMap<String, Media> = HashMap::new();
    let arriving = wants.into_iter().map(|want| async move {
        let media = fetcher.fetch(&want.url, want.expect).await;
        (want, media)
    });
    // In order: which error is told does not depend on which host is faster.
    let mut arriving = std::pin::pin!(stream::iter(arriving).buffered(AT_ONCE));
    while let Some((Want { url, field, .. }, media)) = arriving.next().await {
        let fail = |error| InlineError { field, error };
        let media = match media {
            Ok(media) => media,
            Err(error) => return Err(fail(error)),
        };
        total += media.bytes.len();
        if total > limit {
            return Err(fail(MediaError::TooLarge { limit }));
        }
        fetched.insert(url, media);
    }
    for turn in &mut request.turns {
        replace(&mut turn.blocks, &fetched, &must);
    }
    Ok(())
}

fn wants(request: &ChatRequest, must: &impl Fn(&Block, &str) -> bool) -> Vec<Want> {
    let mut wants: Vec<Want> = Vec::new();
    for (path, turn) in request.placed() {
        collect(&turn.blocks, format_args!("{path}"), must, &mut wants);
    }
    wants
}

fn collect(
    blocks: &[Block],
    path: Arguments<'_>,
    must: &impl Fn(&Block, &str) -> bool,
    wants: &mut Vec<Want>,
) {
    for (at, block) in blocks.iter().enumerate() {
        let field = format_args!("{path}.content[{at}]");
        if let Block::ToolResult { content, .. } = block {
            collect(content, field, must, wants);
        }
        if wants.len() > MOST {
            return;
        }
        let Some(url) = address(block).filter(|url| must(block, url)) else { continue };
        let expect = if matches!(block, Block::Image { .. }) { Expect::Image } else { Expect::Any };
        if !wants.iter().any(|want| want.url == url && want.expect == expect) {
            wants.push(Want { url: url.to_owned(), expect, field: field.to_string() });
        }
    }
}

fn replace(blocks: &mut [Block], fetched: &HashMap<String, Media>, must: &impl Fn(&Block, &str) -> bool) {
    for block in blocks {
        if let Block::ToolResult { content, .. } = block {
            replace(content, fetched, must);
            continue;
        }
        let media = address(block).filter(|url| must(block, url)).and_then(|url| fetched.get(url));
        if let (Some(media), Block::Image { source, .. } | Block::File { source, .. }) = (media, block) {
            let data = STANDARD.encode(&media.bytes);
            *source = Source::Inline { media_type: media.media_type.clone(), data };
        }
    }
}

fn address(block: &Block) -> Option<&str> {
    match block {
        Block::Image { source: Source::Url(url), .. } | Block::File { source: Source::Url(url), .. } => {
            Some(url)
        }
        _ => None,
    }
}

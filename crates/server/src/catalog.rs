//! Which model catalog is in force: the one in the binary, unless a file or an address is named.
//!
//! Nothing is fetched unless asked for: `TOLLGATE_MODEL_CATALOG` names a file or an http(s) URL, and
//! `LITELLM_MODEL_COST_MAP_URL` a URL, unless `LITELLM_LOCAL_MODEL_COST_MAP` says to stay local.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use gateway::body::Pieces;
use gateway::transport::{Destination, Tls, Transport};
use http::{HeaderMap, Method};
use policy::catalog::Catalog;

use crate::env::Environment;

/// How long a fetch may take; the bundled catalog serves meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);
/// A catalog is a few megabytes.
const MOST_BYTES: usize = 64 << 20;

/// The catalog to use. A named one that cannot be had, or shrinks below half of the bundled one, is reported
/// and the bundled one is used.
///
/// # Errors
/// When the catalog in the binary cannot be read.
pub(crate) async fn load(environment: &Environment, tls: &Tls) -> anyhow::Result<Arc<Catalog>> {
    let bundled = Catalog::bundled().context("the catalog in this binary")?;
    let Some(place) = named(environment) else { return Ok(Arc::new(bundled)) };
    match replacement(place, tls).await.and_then(|new| Ok(Catalog::accept_replacement(&bundled, new)?)) {
        Ok(catalog) => {
            tracing::info!(models = catalog.len(), from = %shown(place), "model catalog replaced");
            Ok(Arc::new(catalog))
        }
        Err(error) => {
            tracing::warn!(
                "the model catalog at {} is not used, the bundled one is: {error:#}",
                shown(place)
            );
            Ok(Arc::new(bundled))
        }
    }
}

fn named(environment: &Environment) -> Option<&str> {
    let own = environment.filled("TOLLGATE_MODEL_CATALOG");
    own.or_else(|| {
        let local = environment.is_on("LITELLM_LOCAL_MODEL_COST_MAP");
        environment.filled("LITELLM_MODEL_COST_MAP_URL").filter(|_| !local)
    })
}

/// A place without what might be a secret in its query.
fn shown(place: &str) -> &str {
    place.split(['?', '#']).next().unwrap_or(place)
}

async fn replacement(place: &str, tls: &Tls) -> anyhow::Result<Catalog> {
    let text = if place.starts_with("http://") || place.starts_with("https://") {
        fetch(place, tls).await?
    } else {
        std::fs::read_to_string(place)?
    };
    Ok(Catalog::parse(&text)?)
}

async fn fetch(url: &str, tls: &Tls) -> anyhow::Result<String> {
    let to = Destination::parse(url).map_err(anyhow::Error::msg)?;
    let transport = Transport::new(tls);
    let fetched = tokio::time::timeout(PATIENCE, async {
        let reply = transport
            .send(&to, Method::GET, &HeaderMap::new(), Pieces::default())
            .await
            .map_err(|fault| anyhow::anyhow!(fault.message))?;
        if !reply.status.is_success() {
            bail!("status {}", reply.status);
        }
        reply.body.whole(MOST_BYTES).await.map_err(|fault| anyhow::anyhow!(fault.message))
    });
    let bytes = fetched.await.context("it did not arrive in time")??;
    Ok(String::from_utf8(bytes.into())?)
}

//! The connection: opened, watched and opened again by one task, which also sends what others may wait for.
//!
//! Not here: what callers wait for, which is a script of their own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ::redis::aio::{ConnectionLike as _, MultiplexedConnection};
use ::redis::cluster::ClusterClient;
use ::redis::cluster_async::ClusterConnection;
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue as _, IntoConnectionInfo as _, RedisResult, Value,
};
use secrecy::ExposeSecret as _;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::{Entry, Inner, Line, RedisError, RedisOptions, WHOM, command, lock};

const CONNECT: Duration = Duration::from_secs(2);
/// A server that nobody calls is asked so often whether it is there.
const PULSE: Duration = Duration::from_secs(1);
/// Leases renewed at once.
const BATCH: usize = 200;

/// Where connections come from.
pub(super) enum Door {
    One(Box<Client>),
    Cluster(Box<ClusterClient>),
}

#[derive(Clone)]
pub(super) enum Connection {
    One(MultiplexedConnection),
    Cluster(Box<ClusterConnection>),
}

/// The names by which the server knows our scripts.
pub(super) struct Scripts {
    pub(super) reserve: String,
    settle: String,
    renew: String,
}

impl Door {
    pub(super) fn new(options: &RedisOptions) -> Result<Self, RedisError> {
        let addresses = || options.addresses.iter().map(|address| address.expose_secret().to_owned());
        let unusable = |error: ::redis::RedisError| RedisError::Address(error.category().to_owned());
        let first = addresses().next().ok_or(RedisError::NoAddress)?;
        if options.cluster || options.addresses.len() > 1 {
            let nodes: Vec<_> = addresses()
                .map(|address| address.into_connection_info())
                .collect::<Result<_, _>>()
                .map_err(unusable)?;
            let builder = ClusterClient::builder(nodes)
                .connection_timeout(CONNECT)
                .response_timeout(CONNECT)
                .retries(1);
            return builder.build().map(|client| Self::Cluster(Box::new(client))).map_err(unusable);
        }
        Client::open(first).map(|client| Self::One(Box::new(client))).map_err(unusable)
    }

    async fn connect(&self) -> RedisResult<Connection> {
        Ok(match self {
            Self::One(client) => {
                // Whoever waits has a deadline of its own.
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(CONNECT))
                    .set_response_timeout(Some(CONNECT));
                Connection::One(client.get_multiplexed_async_connection_with_config(&config).await?)
            }
            Self::Cluster(client) => Connection::Cluster(Box::new(client.get_async_connection().await?)),
        })
    }
}

impl Connection {
    pub(super) async fn send(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::One(connection) => connection.req_packed_command(command).await,
            Self::Cluster(connection) => connection.req_packed_command(command).await,
        }?
        .extract_error()
    }
}

/// Keeps the connection up for ever. `first` hears when the first try is over.
pub(super) async fn run(inner: Arc<Inner>, door: Door, first: oneshot::Sender<()>) {
    let mut first = Some(first);
    loop {
        let reason = match open(&inner, &door).await {
            Ok(line) => {
                inner.line.store(Some(Arc::clone(&line)));
                inner.breaker.close(WHOM);
                first.take().map(|first| first.send(()));
                serve(&inner, &line).await
            }
            Err(reason) => reason,
        };
        inner.trip(reason.clone());
        inner.breaker.still_open(reason);
        first.take().map(|first| first.send(()));
        tokio::time::sleep(inner.breaker.pause()).await;
    }
}

/// A connection that answers fast enough, over which everything was sent that had been waiting.
async fn open(inner: &Inner, door: &Door) -> Result<Arc<Line>, String> {
    let said = |error: ::redis::RedisError| error.to_string();
    let opened = timeout(CONNECT, async {
        let mut connection = door.connect().await.map_err(said)?;
        let mut load = async |text: &str| {
            let value = connection.send(::redis::cmd("SCRIPT").arg("LOAD").arg(text)).await.map_err(said)?;
            String::from_redis_value(value).map_err(|error| error.to_string())
        };
        let scripts = Scripts {
            reserve: load(include_str!("reserve.lua")).await?,
            settle: load(include_str!("settle.lua")).await?,
            renew: load(include_str!("renew.lua")).await?,
        };
        Ok::<_, String>(Line { connection, scripts })
    });
    let line = opened.await.map_err(|_| format!("no connection in {} s", CONNECT.as_secs()))??;
    flush(inner, &line).await?;
    renew(inner, &line).await?;
    ping(inner, &line).await?;
    Ok(Arc::new(line))
}

/// Sends what is to be sent until something fails. Returns what.
async fn serve(inner: &Inner, line: &Line) -> String {
    let mut pulse = interval(PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut renewed = Instant::now();
    loop {
        let tick = tokio::select! {
            () = inner.wake.notified() => false,
            _ = pulse.tick() => true,
        };
        if inner.breaker.is_open() {
            return match inner.breaker.state() {
                crate::State::Degraded { reason, .. } => reason,
                crate::State::Alone | crate::State::Sharing => String::new(),
            };
        }
        let mut done = flush(inner, line).await;
        if tick && done.is_ok() {
            done = ping(inner, line).await;
        }
        if done.is_ok() && renewed.elapsed() >= inner.options.lease / 3 {
            renewed = Instant::now();
            done = renew(inner, line).await;
        }
        if let Err(reason) = done {
            return reason;
        }
    }
}

/// Tells the server everything that waits. What may not have arrived is told again, under the same number.
async fn flush(inner: &Inner, line: &Line) -> Result<(), String> {
    loop {
        let Some(batch) = lock(&inner.pending).take() else { return Ok(()) };
        patiently(line, &command::settle(&inner.names, &line.scripts.settle, &batch)).await?;
        lock(&inner.pending).arrived();
    }
}

async fn renew(inner: &Inner, line: &Line) -> Result<(), String> {
    let open: Vec<Arc<[Entry]>> = {
        let mut open = lock(&inner.open);
        open.retain(|_, entries| entries.strong_count() > 0);
        open.values().filter_map(std::sync::Weak::upgrade).collect()
    };
    let entries: Vec<&Entry> = open.iter().flat_map(|entries| entries.iter()).collect();
    for batch in entries.chunks(BATCH) {
        let now_ms = inner.instant(inner.latest_ms.load(Ordering::Relaxed));
        patiently(
            line,
            &command::renew(&inner.names, &line.scripts.renew, batch, now_ms, inner.options.lease),
        )
        .await?;
    }
    Ok(())
}

/// Whether the server answers as fast as callers want it to.
async fn ping(inner: &Inner, line: &Line) -> Result<(), String> {
    match timeout(inner.options.deadline, line.connection.clone().send(&::redis::cmd("PING"))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer in {} ms", inner.options.deadline.as_millis())),
    }
}

/// Nobody waits for the answer.
async fn patiently(line: &Line, command: &Cmd) -> Result<(), String> {
    match line.connection.clone().send(command).await {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

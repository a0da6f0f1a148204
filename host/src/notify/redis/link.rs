//! The connections to one Redis, from their opening to the first that breaks.

use std::time::Duration;

use fred::clients::{Client, Pool};
use fred::error::{Error, ErrorKind};
use fred::interfaces::{ClientLike, EventInterface, PubsubInterface};
use fred::types::Value;
use fred::types::config::{ConnectionConfig, PerformanceConfig, TcpConfig};
use futures::future::{select_all, try_join_all};
use tokio::sync::broadcast;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

use super::address::Address;
use super::message::{Message, Speaker};
use super::outbox::Hearer;
use crate::model::HostId;

/// How long one connection may take, with TLS and the password.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long Redis may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Connections that speak. What goes to different channels does not wait for each other.
const SPEAKERS: usize = 2;
/// Messages that may wait to be read; more are lost, and then everyone looks.
const HEARD_MAX: usize = 512;
/// Events of a connection that may wait to be read.
const EVENTS_MAX: usize = 8;

/// Open connections. Whatever goes wrong with any of them, all are given up and opened anew: the driver's own way to mend a
/// connection is not used, because nobody could say what was lost meanwhile.
#[derive(Debug)]
pub(super) struct Link {
    address: Address,
    hearer: Client,
    speakers: Pool,
}

/// What comes in over a link, and its end. Dropping it closes the link.
#[derive(Debug)]
pub(super) struct Ear {
    /// The incarnation for which it listens.
    pub(super) host: Option<HostId>,
    heard: broadcast::Receiver<fred::types::Message>,
    /// The driver's tasks: each ends when its connection does.
    running: Vec<Running>,
}

type Running = AbortOnDropHandle<Result<(), Error>>;

/// What came in.
#[derive(Debug)]
pub(super) enum Heard {
    /// What somebody sent.
    Message(Value),
    /// More than could be kept until it was read.
    TooMuch,
}

impl Link {
    /// Opens every connection, and listens to what is for all and for that incarnation.
    pub(super) async fn open(
        address: &Address,
        host: Option<HostId>,
    ) -> Result<(Self, Ear), Error> {
        let connection = ConnectionConfig {
            connection_timeout: CONNECT_WITHIN,
            internal_command_timeout: ANSWER_WITHIN,
            max_command_attempts: 1,
            tcp: TcpConfig { nodelay: Some(true), ..TcpConfig::default() },
            ..ConnectionConfig::default()
        };
        let bounds = |broadcast_channel_capacity| PerformanceConfig {
            default_command_timeout: ANSWER_WITHIN,
            broadcast_channel_capacity,
            ..PerformanceConfig::default()
        };
        let hearer = Client::new(
            address.config.clone(),
            Some(bounds(HEARD_MAX)),
            Some(connection.clone()),
            None,
        );
        let speakers = Pool::new(
            address.config.clone(),
            Some(bounds(EVENTS_MAX)),
            Some(connection),
            None,
            SPEAKERS,
        )?;
        // Before anything can come.
        let heard = hearer.message_rx();
        let clients = speakers.clients().iter().chain([&hearer]);
        let running = try_join_all(clients.map(connect)).await?;
        let link = Self { address: address.clone(), hearer, speakers };
        for hearer in [Some(Hearer::All), host.map(Hearer::One)].into_iter().flatten() {
            link.listen(hearer).await?;
        }
        Ok((link, Ear { host, heard, running }))
    }

    /// Listens to what is for that hearer, from before this returns.
    pub(super) async fn listen(&self, hearer: Hearer) -> Result<(), Error> {
        self.hearer.subscribe(self.address.channel(hearer)).await?;
        // The driver does not wait for the answer to a subscription; Redis answers in order.
        self.hearer.ping(None).await
    }

    /// Listens no longer to what is for that hearer.
    pub(super) async fn ignore(&self, hearer: Hearer) -> Result<(), Error> {
        self.hearer.unsubscribe(self.address.channel(hearer)).await
    }

    /// Sends messages, all at once.
    pub(super) async fn say(
        &self,
        speaker: Speaker,
        messages: Vec<(Hearer, Message)>,
    ) -> Result<(), Error> {
        let publish = |(hearer, message): (Hearer, Message)| {
            let (channel, bytes) = (self.address.channel(hearer), message.encode(speaker));
            async move { self.speakers.next().publish(channel, bytes).await }
        };
        let _hearers: Vec<u64> = try_join_all(messages.into_iter().map(publish)).await?;
        Ok(())
    }

    /// What Redis says that it is.
    pub(super) fn version(&self) -> Option<String> {
        self.hearer.server_version().map(|version| version.to_string())
    }

    /// Asks every connection whether it is still there.
    pub(super) async fn ping(&self) -> Result<(), Error> {
        let clients = self.speakers.clients().iter().chain([&self.hearer]);
        try_join_all(clients.map(|client| client.ping::<()>(None))).await?;
        Ok(())
    }
}

impl Ear {
    /// Waits for what comes in, or for the link to break. Dropping the future loses nothing.
    pub(super) async fn hear(&mut self) -> Result<Heard, Error> {
        let received = tokio::select! {
            received = self.heard.recv() => received,
            (ended, ..) = select_all(&mut self.running) => return Err(why(ended)),
        };
        match received {
            Ok(message) => Ok(Heard::Message(message.value)),
            Err(broadcast::error::RecvError::Lagged(_count)) => Ok(Heard::TooMuch),
            Err(broadcast::error::RecvError::Closed) => Err(closed()),
        }
    }
}

/// Opens one connection. Dropping the future closes it.
async fn connect(client: &Client) -> Result<Running, Error> {
    let mut connected = client.reconnect_rx();
    let mut running = AbortOnDropHandle::new(client.connect());
    tokio::select! {
        _connected = connected.recv() => Ok(running),
        ended = &mut running => Err(why(ended)),
    }
}

fn why(ended: Result<Result<(), Error>, JoinError>) -> Error {
    match ended {
        Ok(Ok(())) => closed(),
        Ok(Err(error)) => error,
        Err(fallen) => Error::new(ErrorKind::Unknown, fallen.to_string()),
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::IO, "the connection was closed")
}

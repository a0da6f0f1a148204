//! Looking at a Redis before a host depends on it.

use std::time::Duration;

use super::address::{Address, NotifyError};
use super::link::{Heard, Link};
use super::message::{Message, Speaker};
use super::outbox::Hearer;
use crate::model::{Ids, Stopwatch};

/// How long a message may take to come back.
const HEARD_WITHIN: Duration = Duration::from_secs(5);

/// What was seen of a Redis.
#[derive(Debug, Clone)]
pub struct RedisExamination {
    /// Its version, where it tells.
    pub version: Option<String>,
    /// How long a message took that was sent to the sender, in seconds.
    pub heard_in: f64,
}

/// Why a Redis carries no hints.
#[derive(Debug, thiserror::Error)]
pub enum RedisFault {
    /// Give another address.
    #[error(transparent)]
    Address(#[from] NotifyError),
    /// It is away, or refuses who is asking.
    #[error("{0}")]
    Refused(String),
    /// It took a message and did not bring it back.
    #[error("a message that was sent did not come back within {HEARD_WITHIN:?}")]
    Silent,
}

impl From<fred::error::Error> for RedisFault {
    fn from(error: fred::error::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

/// Opens a link and sends a message over it, to nobody but the sender.
pub async fn examine_redis(url: &str, ids: &dyn Ids) -> Result<RedisExamination, RedisFault> {
    let address = Address::read(url)?;
    let nobody_else = ids.host();
    let (link, mut ear) = Link::open(&address, Some(nobody_else)).await?;
    let (speaker, stopwatch) = (Speaker(ids.seed()), Stopwatch::start());
    link.say(speaker, vec![(Hearer::One(nobody_else), Message::Work)]).await?;
    let hearing = async {
        // Others may speak to all meanwhile.
        loop {
            let Heard::Message(value) = ear.hear().await? else { continue };
            let decoded = value.as_bytes().and_then(Message::decode);
            if decoded.is_some_and(|(by, _)| by == speaker) {
                return Ok::<(), fred::error::Error>(());
            }
        }
    };
    match tokio::time::timeout(HEARD_WITHIN, hearing).await {
        Ok(heard) => heard?,
        Err(_late) => return Err(RedisFault::Silent),
    }
    Ok(RedisExamination { version: link.version(), heard_in: stopwatch.seconds() })
}

//! What a host tells a collector: spans as they end, and what is counted now and then.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::http::Door;
use crate::model::{Clock, Period, Tracer, Untraced};
use crate::telemetry::{self, Collector, Counts, Export};

/// The sending of both.
#[derive(Debug)]
pub(super) struct Telling {
    spans: Export,
    counts: Option<(Counts, Duration)>,
}

/// What takes spans, and what sends them and the counts; without a collector nobody makes any.
pub(super) fn telling(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> Result<(Arc<dyn Tracer>, Option<Telling>)> {
    let given = &config.telemetry;
    let Some(endpoint) = given.endpoint.clone() else { return Ok((Arc::new(Untraced), None)) };
    let (service, instance) = (given.service_name.clone(), config.name.clone());
    let collector = Collector { endpoint, service, instance, headers: given.headers.clone() };
    let (tracer, spans) = telemetry::traces(&collector)?;
    let counts = match given.metrics_every {
        Period::Forever => None,
        Period::For(every) => Some((Counts::new(&collector, Arc::clone(clock))?, every)),
    };
    Ok((tracer, Some(Telling { spans, counts })))
}

impl Telling {
    /// Tells until it is said that there will be no more, and then what is left. What is counted when somebody looks is looked at
    /// through the door.
    pub(super) async fn go_on(self, door: Door, said: CancellationToken) {
        let spans = self.spans.send(said.clone());
        match self.counts {
            Some((counts, every)) => {
                tokio::join!(spans, counts.send(every, || door.take_census(), said));
            }
            None => spans.await,
        }
    }
}

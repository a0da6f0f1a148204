//! Where a host sends its spans and metrics.

use std::time::Duration;

use clap::Args;

use crate::model::Period;

/// The flags of what a host tells a collector.
#[derive(Debug, Args)]
pub struct TelemetryFlags {
    /// The collector that spans and metrics are sent to by OTLP (http/protobuf), http://HOST:4318 [default: none]
    #[arg(long, env = "STEPWELL_OTLP_ENDPOINT", value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// The same by its standard name; the one above wins [default: none]
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    otel_endpoint: Option<String>,
    /// Headers of these requests, name=value with commas between; better given by the variable [default: none]
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_HEADERS",
        value_name = "HEADERS",
        hide_env_values = true
    )]
    otlp_headers: Option<String>,
    /// How often metrics are sent, 1s or more, or never to send none [default: 1m]
    #[arg(long, env = "STEPWELL_OTLP_METRICS_EVERY", value_name = "DURATION", value_parser = pace)]
    otlp_metrics_every: Option<Period>,
    /// What spans and metrics call the service
    #[arg(long, env = "OTEL_SERVICE_NAME", default_value = "stepwell", value_name = "NAME")]
    service_name: String,
}

fn pace(text: &str) -> Result<Period, String> {
    match text.parse()? {
        Period::For(every) if every < Duration::from_secs(1) => {
            Err("it must be 1s or more".to_owned())
        }
        period => Ok(period),
    }
}

/// Where a host sends its spans and metrics.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    /// The collector.
    pub endpoint: Option<String>,
    /// What requests to it carry besides.
    pub headers: Option<String>,
    /// How often metrics are sent.
    pub metrics_every: Period,
    /// What spans and metrics call the service.
    pub service_name: String,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            endpoint: None,
            headers: None,
            metrics_every: Period::For(Duration::from_mins(1)),
            service_name: "stepwell".to_owned(),
        }
    }
}

impl From<TelemetryFlags> for TelemetryConfig {
    fn from(flags: TelemetryFlags) -> Self {
        // A variable that is empty is one that is not set, as OpenTelemetry has it.
        let given = |text: &String| !text.is_empty();
        let endpoints = [flags.otlp_endpoint, flags.otel_endpoint];
        let default = Self::default();
        Self {
            endpoint: endpoints.into_iter().flatten().find(given),
            headers: flags.otlp_headers.filter(given),
            metrics_every: flags.otlp_metrics_every.unwrap_or(default.metrics_every),
            service_name: flags.service_name,
        }
    }
}

//! Sending what is counted to a collector, now and then.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use opentelemetry_http::HttpClient;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::metrics::v1::{ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::exposition::Exposition;
use super::measures::{attribute, measures};
use super::post::Post;
use super::traces::{ANSWER_TIME_MAX, Collector, LAST_WORDS_TIME_MAX};
use crate::model::Clock;

/// Sends what is counted.
#[derive(Debug)]
pub struct Counts {
    post: Post,
    to: Uri,
    headers: HeaderMap,
    resource: Resource,
    counted: Exposition,
    clock: Arc<dyn Clock>,
    is_heard: bool,
}

impl Counts {
    /// Sends to that collector what is counted in this process.
    pub fn new(collector: &Collector, clock: Arc<dyn Clock>) -> Result<Self> {
        let endpoint = of_metrics(&collector.endpoint);
        let to = endpoint.parse();
        let to = to.with_context(|| format!("metrics cannot be sent to {endpoint}"))?;
        let attributes = [
            ("service.name", &*collector.service),
            ("service.version", env!("CARGO_PKG_VERSION")),
            ("service.instance.id", &*collector.instance),
        ];
        let attributes = attributes.map(|(key, value)| attribute(key, value)).to_vec();
        let resource = Resource { attributes, ..Resource::default() };
        let headers = headers(collector.headers.as_deref().unwrap_or_default())?;
        let (post, counted) = (Post::new()?, super::metrics()?);
        info!(endpoint, "Metrics are sent to {endpoint}");
        Ok(Self { post, to, headers, resource, counted, clock, is_heard: true })
    }

    /// Sends each time that this long has passed, and once more when it is stopped. `look` is awaited before each time: it has
    /// counted what nobody counts on the way.
    pub async fn send<F: Future<Output = ()>>(
        mut self,
        every: Duration,
        look: impl Fn() -> F,
        stop: CancellationToken,
    ) {
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            self.send_once(look(), ANSWER_TIME_MAX).await;
        }
        self.send_once(look(), LAST_WORDS_TIME_MAX).await;
    }

    async fn send_once(&mut self, look: impl Future<Output = ()>, within: Duration) {
        let told = async {
            // What is known is told, however long the rest takes to be found out.
            let _late = tokio::time::timeout(within / 2, look).await;
            self.post.send_bytes(self.request()).await
        };
        let sent = tokio::time::timeout(within, told).await;
        let why = match sent {
            Ok(Ok(answer)) if answer.status().is_success() => None,
            Ok(Ok(answer)) => Some(format!("it answered {}", answer.status())),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_elapsed) => Some("it does not answer".to_owned()),
        };
        let was_heard = std::mem::replace(&mut self.is_heard, why.is_none());
        match why {
            None if !was_heard => info!("The collector takes metrics again"),
            // One that is away is told of once; what it missed is in the next ones, because they add up.
            Some(error) if was_heard => warn!(error, "The collector took no metrics"),
            _as_before => {}
        }
    }

    fn request(&self) -> Request<Bytes> {
        let scope = InstrumentationScope {
            name: "stepwell".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..InstrumentationScope::default()
        };
        let metrics = measures(&self.counted.text(), self.clock.now());
        let scope = ScopeMetrics { scope: Some(scope), metrics, ..ScopeMetrics::default() };
        let of_resource = ResourceMetrics {
            resource: Some(self.resource.clone()),
            scope_metrics: vec![scope],
            ..ResourceMetrics::default()
        };
        let told = ExportMetricsServiceRequest { resource_metrics: vec![of_resource] };
        let mut request = Request::new(Bytes::from(told.encode_to_vec()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.to.clone();
        *request.headers_mut() = self.headers.clone();
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        request.headers_mut().insert(CONTENT_TYPE, protobuf);
        request
    }
}

/// From the root of a collector, or from its address for traces.
fn of_metrics(endpoint: &str) -> String {
    let endpoint = endpoint.trim_end_matches('/');
    let root = endpoint.strip_suffix("/v1/traces").unwrap_or(endpoint);
    format!("{root}/v1/metrics")
}

/// Pairs with commas between, each `name=value`, as the variable of OpenTelemetry has them. A wrong one is not repeated: it may be
/// a secret.
fn headers(text: &str) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let read = || {
            let (name, value) = pair.split_once('=')?;
            let name: HeaderName = name.trim().parse().ok()?;
            let mut value: HeaderValue = unescaped(value.trim())?.parse().ok()?;
            value.set_sensitive(true);
            Some((name, value))
        };
        let (name, value) = read()
            .context("the headers for the collector are not name=value, with commas between")?;
        headers.insert(name, value);
    }
    Ok(headers)
}

/// What `%20` and its like stand for.
fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::model::SystemClock;

    #[test]
    fn the_root_of_a_collector_and_its_address_for_traces_are_both_understood() {
        for endpoint in ["http://c:4318", "http://c:4318/", "http://c:4318/v1/traces"] {
            assert_eq!(of_metrics(endpoint), "http://c:4318/v1/metrics");
        }
    }

    #[tokio::test]
    async fn what_is_known_is_sent_though_nobody_answers_what_else_there_is() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (service, instance) = ("shop".to_owned(), "a".to_owned());
        let collector = Collector { endpoint, service, instance, headers: None };
        let counts = Counts::new(&collector, Arc::new(SystemClock::default())).unwrap();
        let stop = CancellationToken::new();
        stop.cancel();

        let sends = counts.send(Duration::from_secs(1), std::future::pending, stop);
        let hears = async {
            let (mut stream, _from) = listener.accept().await.unwrap();
            let mut heard = Vec::new();
            stream.read_buf(&mut heard).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            String::from_utf8_lossy(&heard).into_owned()
        };
        let (heard, ()) = tokio::join!(hears, sends);

        assert!(heard.starts_with("POST /v1/metrics"), "{heard}");
    }

    #[test]
    fn headers_are_read_as_opentelemetry_writes_them() {
        let read = headers("api-key=a%20b, x-team = blue").unwrap();

        assert_eq!(
            (read.len(), &read["api-key"], &read["x-team"]),
            (2, &"a b".parse().unwrap(), &"blue".parse().unwrap())
        );
        assert!(headers("").unwrap().is_empty());
        for wrong in ["secret", "a b=c", "a=%2", "a=%zz"] {
            let refused = headers(wrong).unwrap_err().to_string();
            assert!(!refused.contains(wrong), "{refused}");
        }
    }
}

//! Requests of steps to the world: `wasi:http` through a connector of our own.
//!
//! A request is judged (host, port, method, scheme, how many there were), gets the values of secrets and a `traceparent`, and
//! is handed to the threads that do I/O: guests' threads do none. There the host is looked up once, every address of the
//! answer is judged, and the connection goes to a judged address: a second look-up, which could answer otherwise, does not
//! happen. Redirects are not followed: the guest's client sends another request, which is judged like any.
//!
//! Whoever drops the attempt drops its table of resources, with it the response, and with that the connection.

mod address;
mod connect;
mod exchange;
mod order;
mod outgoing;
mod refusal;
mod resolve;
mod scrub;
mod tls;

pub(super) use order::Destination;
pub(in crate::sandbox) use resolve::PolicyResolver;
pub use resolve::{Resolve, SystemResolver};
pub(in crate::sandbox) use tls::Trust;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use hyper::http::{Request, Response};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use tokio_util::task::AbortOnDropHandle;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use self::exchange::Exchange;
use self::outgoing::Kept;
use self::refusal::Refusal;
use self::scrub::Scrubber;
use super::equipment::{Equipment, Request as Asked, undeclared};
use super::secret::Placed;
use crate::model::{EgressLimits, EnvName, HttpTarget, Policy, Scheme, StepCall, TraceParent};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What all requests of a host share.
#[derive(Debug)]
pub(in crate::sandbox) struct Links {
    pub(in crate::sandbox) policy: Arc<Policy>,
    pub(in crate::sandbox) resolver: Arc<dyn Resolve>,
    pub(in crate::sandbox) trust: Trust,
    pub(in crate::sandbox) limits: EgressLimits,
    /// Where there is I/O.
    pub(in crate::sandbox) io: Handle,
}

/// The requests of one attempt. Where its module has nothing, this is nothing too.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Egress(Option<Box<Outlet>>);

#[derive(Debug)]
struct Outlet {
    links: Arc<Links>,
    equipment: Arc<Equipment>,
    placed: Vec<Placed>,
    traceparent: HeaderValue,
    requests: usize,
    at_once: Arc<Semaphore>,
    crossed: Arc<AtomicU64>,
}

impl Egress {
    /// For an attempt of a module that has something.
    pub(in crate::sandbox) fn of(
        links: &Arc<Links>,
        equipment: &Arc<Equipment>,
        call: &StepCall,
    ) -> Result<Self, getrandom::Error> {
        let placed = equipment.secrets.iter().map(Placed::new).collect::<Result<_, _>>()?;
        let traceparent = HeaderValue::from_str(&TraceParent::of_attempt(call).to_string())
            .expect("digits and hyphens may stand in a header");
        Ok(Self(Some(Box::new(Outlet {
            at_once: Arc::new(Semaphore::new(links.limits.requests_at_once_max)),
            links: Arc::clone(links),
            equipment: Arc::clone(equipment),
            placed,
            traceparent,
            requests: 0,
            crossed: Arc::default(),
        }))))
    }

    /// The secrets as the guest sees them: a name, and what stands for the value.
    pub(in crate::sandbox) fn placeholders(&self) -> impl Iterator<Item = (&EnvName, &str)> {
        let placed = self.0.iter().flat_map(|outlet| &outlet.placed);
        placed.map(|one| (&one.held.name, one.placeholder.as_str()))
    }

    /// Counts the bytes that have crossed and are not paid for.
    pub(in crate::sandbox) fn crossed(&self) -> Option<Arc<AtomicU64>> {
        self.0.as_ref().map(|outlet| Arc::clone(&outlet.crossed))
    }
}

type Answered = (Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl Outlet {
    /// Judges a request and begins it. Dropping what this returns ends it.
    fn begin(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> Result<impl Future<Output = Result<Answered, Error>> + Send + use<>, Refusal> {
        let limits = &self.links.limits;
        let (mut parts, body) = request.into_parts();
        let body = Kept::new(body, self.links.io.clone());
        self.requests += 1;
        if self.requests > limits.requests_max {
            let max = limits.requests_max as u128;
            return Err(Refusal::limit("requests_max", "the attempt", max, "requests"));
        }
        let to =
            order::judge(&mut parts, &self.equipment, (&self.placed, limits.header_bytes_max))?;
        parts.headers.entry(TRACEPARENT).or_insert_with(|| self.traceparent.clone());
        if order::header_bytes(Some(&parts.uri), &parts.headers) > limits.header_bytes_max {
            let max = limits.header_bytes_max as u128;
            return Err(Refusal::limit(
                "header_bytes_max",
                "the head of the request",
                max,
                "bytes",
            ));
        }
        tracing::debug!(to = %to, method = %parts.method, "A step sends a request");
        let exchange = Exchange {
            in_body: order::in_body(&self.placed, &to),
            scrubber: Scrubber::of(self.placed.iter().map(|one| &one.held)),
            is_secretive: self.placed.iter().any(|one| to.is_among(&one.held.rule.hosts)),
            patience: Patience::of(limits, options),
            links: Arc::clone(&self.links),
            at_once: Arc::clone(&self.at_once),
            crossed: Arc::clone(&self.crossed),
            to,
        };
        let (head, answered) = oneshot::channel();
        let request = Request::from_parts(parts, body);
        let task = AbortOnDropHandle::new(self.links.io.spawn(exchange.run(request, head)));
        Ok(async move {
            let response = answered.await.map_err(|_gone| Error::ConnectionTerminated)??;
            // It goes on while the body is read.
            let rest: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(async move {
                let _ended = task.await;
                Ok(())
            });
            Ok((response, rest))
        })
    }
}

/// How long each part of an exchange may take: what the guest says, within what the host allows.
#[derive(Debug, Clone, Copy)]
struct Patience {
    connect: Duration,
    first_byte: Duration,
    between_bytes: Duration,
    whole: Duration,
}

impl Patience {
    fn of(limits: &EgressLimits, options: Option<RequestOptions>) -> Self {
        let options = options.unwrap_or_default();
        let within =
            |asked: Option<Duration>, max: Duration| asked.map_or(max, |asked| asked.min(max));
        Self {
            connect: within(options.connect_timeout, limits.connect_timeout),
            first_byte: within(options.first_byte_timeout, limits.first_byte_timeout),
            between_bytes: within(options.between_bytes_timeout, limits.request_timeout),
            whole: limits.request_timeout,
        }
    }
}

impl WasiHttpHooks for Egress {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _told: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answered, Error>> + Send> {
        let begun = match &mut self.0 {
            Some(outlet) => outlet.begin(request, options),
            None => Err(nothing(&request)),
        };
        Box::new(async move { begun?.await })
    }
}

/// The module has nothing at all.
fn nothing(request: &Request<WasiBody>) -> Refusal {
    match Destination::of(request.uri()) {
        Ok(to) => {
            let asked = Asked { method: request.method().as_str(), to: &to };
            let more = "; in a test host, replace steps that reach for the world";
            Refusal::not_granted(undeclared(asked) + more)
        }
        Err(refusal) => refusal,
    }
}

/// Whether any of these is reached without TLS.
pub(in crate::sandbox) fn goes_in_the_open(targets: &[HttpTarget]) -> bool {
    targets.iter().any(|target| target.scheme() == Scheme::Http)
}

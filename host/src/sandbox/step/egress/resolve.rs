//! From the name of a host to addresses.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use futures::future::BoxFuture;

use crate::model::Policy;

/// Looks a host up. It is asked once for a request, and the request goes to an address of that answer or nowhere.
pub trait Resolve: Send + Sync + std::fmt::Debug {
    /// The addresses of a host.
    fn resolve(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// As the machine does it: its hosts file, its name servers.
#[derive(Debug)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// What the policy says goes first.
#[derive(Debug)]
pub(in crate::sandbox) struct PolicyResolver {
    policy: Arc<Policy>,
    rest: Arc<dyn Resolve>,
}

impl PolicyResolver {
    pub(in crate::sandbox) fn new(policy: Arc<Policy>, rest: Arc<dyn Resolve>) -> Self {
        Self { policy, rest }
    }
}

impl Resolve for PolicyResolver {
    fn resolve(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        match self.policy.addresses(&host) {
            Some(addresses) => {
                let addresses = addresses.to_vec();
                Box::pin(async move { Ok(addresses) })
            }
            None => self.rest.resolve(host),
        }
    }
}

//! From the name of a host to addresses.

use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::model::Policy;

/// Looks a host up. It is asked once for a request, and the request goes to an address of that answer or nowhere.
pub trait Resolve: Send + Sync + std::fmt::Debug {
    /// The addresses of a host.
    fn resolve(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// Look-ups of the machine at once, over the whole host; more wait. Each holds a thread for as long as a name server is slow, also
/// where nobody waits for it any more, and others need threads too.
const LOOKUPS_MAX: usize = 64;

/// As the machine does it: its hosts file, its name servers.
#[derive(Debug)]
pub struct SystemResolver {
    room: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(LOOKUPS_MAX)) }
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let room = Arc::clone(&self.room);
        Box::pin(async move {
            let place = room.acquire_owned().await.map_err(io::Error::other)?;
            let look_up = move || {
                let found = (host.as_str(), 0).to_socket_addrs();
                drop(place);
                found.map(|found| found.map(|address| address.ip()).collect())
            };
            tokio::task::spawn_blocking(look_up).await.map_err(io::Error::other)?
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Longer than a name of this machine takes.
    const A_WHILE: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn a_look_up_waits_for_those_before_it() {
        let resolver = SystemResolver::default();
        let all = u32::try_from(LOOKUPS_MAX).unwrap();
        let before = Arc::clone(&resolver.room).acquire_many_owned(all).await.unwrap();
        let mut looked_up = resolver.resolve("127.0.0.1".to_owned());

        let early = tokio::time::timeout(A_WHILE, &mut looked_up).await;
        drop(before);

        assert!(early.is_err(), "it did not wait");
        assert_eq!(looked_up.await.unwrap(), [IpAddr::from([127, 0, 0, 1])]);
        assert_eq!(resolver.room.available_permits(), LOOKUPS_MAX);
    }
}

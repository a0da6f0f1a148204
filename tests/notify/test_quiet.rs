//! What an idle host costs.

use crate::console::Console;
use crate::host::{Host, is_connected};
use stepwell::notify::Notifier;
use stepwell_test_servers::redis::Redis;

#[tokio::test]
async fn an_idle_host_says_nothing_but_its_ping() {
    let redis = Redis::private().await;
    let host = Host::join(&redis.url()).await;
    let mut console = Console::open(redis.port()).await;
    assert_eq!(console.ask("monitor").await, "+OK");

    let mut said = Vec::new();
    while said.len() < 3 {
        said.push(console.read_line().await);
    }

    assert!(said.iter().all(|line| line.ends_with(r#""PING""#)), "{said:?}");
    assert!(is_connected(host.health()));
}

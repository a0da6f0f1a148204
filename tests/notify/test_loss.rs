//! Redis is away, goes, hangs, or does not let anybody in.

use std::sync::Arc;

use futures::future::join_all;
use stepwell::model::{RandomIds, SystemClock, Wake};
use stepwell::notify::{Hints, Notifier, RedisNotifier};
use tokio::net::TcpListener;

use crate::console::Console;
use crate::host::{Host, execution, is_connected, is_lost, within};
use crate::log::Log;
use stepwell_test_servers::redis::Redis;

#[tokio::test]
async fn hints_flow_again_when_a_killed_redis_is_back_and_everyone_looks() {
    let (log, _listening) = Log::listen();
    let redis = Redis::private().await;
    let hosts = [Host::join(&redis.url()).await, Host::join(&redis.url()).await];
    let mut watches = hosts.each_ref().map(|host| host.watch(execution(1)));

    redis.kill().await;
    join_all(hosts.iter().map(|host| host.wait_for(is_lost))).await;
    let [one, other] = &hosts;
    // Meanwhile each is alone, and hears itself.
    one.offer_work();
    assert_eq!(one.hear().await, Hints { work: true, ..Hints::default() });
    redis.start().await;
    join_all(hosts.iter().map(|host| host.wait_for(is_connected))).await;

    for (host, watch) in hosts.iter().zip(&mut watches) {
        assert_eq!(host.hear().await, Hints { work: true, arrivals: Vec::new(), lost: true });
        within(watch.changed()).await.unwrap();
    }
    one.send(other.id, execution(2));
    assert_eq!(other.hear_arrivals().await, [execution(2)]);
    other.wake(Wake::Changed { execution: execution(1) });
    within(watches[0].changed()).await.unwrap();
    assert_eq!(log.count("WARN", "Redis is lost"), 2, "once each: {}", log.text());
    assert_eq!(log.count("INFO", "Redis is back"), 2, "once each: {}", log.text());
}

#[tokio::test]
async fn a_host_begins_while_redis_is_away_and_finds_it_later() {
    let redis = Redis::private().await;
    redis.kill().await;

    let host = Host::begin(&redis.url());
    host.offer_work();

    assert_eq!(host.hear().await, Hints { work: true, ..Hints::default() });
    assert!(is_lost(host.health()));
    redis.start().await;
    host.wait_for(is_connected).await;
    assert!(host.hear().await.lost);
}

#[tokio::test]
async fn a_redis_that_hangs_is_lost_too() {
    let redis = Redis::private().await;
    let host = Host::join(&redis.url()).await;
    let mut console = Console::open(redis.port()).await;

    assert_eq!(console.ask("client pause 4000 all").await, "+OK");
    host.offer_work();

    host.wait_for(is_lost).await;
    host.wait_for(is_connected).await;
}

#[tokio::test]
async fn however_often_it_tries_a_host_says_once_that_redis_is_lost() {
    let (log, _listening) = Log::listen();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();

    let host = Host::begin(&format!("redis://:open-sesame@127.0.0.1:{port}"));
    while log.count("DEBUG", "Redis is still lost") < 3 {
        // Whoever is let in and turned out at once tries again.
        drop(within(listener.accept()).await.unwrap());
    }

    assert!(is_lost(host.health()));
    assert_eq!(log.count("WARN", "Redis is lost"), 1, "{}", log.text());
    assert!(!log.text().contains("sesame"));
}

#[tokio::test]
async fn the_password_stands_in_the_address_and_a_wrong_one_is_no_end() {
    let (log, _listening) = Log::listen();
    let redis = Redis::with_password("open-sesame").await;
    let friend = Host::join(&redis.url()).await;

    let stranger = Host::begin(&redis.url().replace("sesame", "barley"));
    let mut health = stranger.watch_health();
    within(health.changed()).await.unwrap();

    assert!(is_connected(friend.health()) && is_lost(stranger.health()));
    assert_eq!(log.count("WARN", "WRONGPASS"), 1, "{}", log.text());
    assert!(!log.text().contains("barley") && !log.text().contains("sesame"), "{}", log.text());
    let mut console = Console::open(redis.port()).await;
    assert_eq!(console.ask("auth open-sesame").await, "+OK");
    assert_eq!(console.ask("config set requirepass open-barley").await, "+OK");
    within(health.wait_for(|health| is_connected(*health))).await.unwrap();
}

#[tokio::test]
async fn a_user_who_may_do_nothing_but_speak_and_listen_is_enough() {
    let redis = Redis::private().await;
    let mut console = Console::open(redis.port()).await;
    let may = "&stepwell:* -@all +ping +publish +subscribe +unsubscribe";
    let user = format!("acl setuser hints on >open-sesame resetchannels {may}");
    assert_eq!(console.ask(&user).await, "+OK");
    let url = redis.url().replace("://", "://hints:open-sesame@");

    let (one, other) = (Host::join(&url).await, Host::join(&url).await);
    one.send(other.id, execution(1));

    assert_eq!(other.hear_arrivals().await, [execution(1)]);
}

#[tokio::test]
async fn a_bad_address_is_refused_at_the_start() {
    let (clock, ids) = (Arc::new(SystemClock::new()), Arc::new(RandomIds));

    let refused = RedisNotifier::connect("redis://:sesame@host:port", clock, ids).unwrap_err();

    let told = refused.to_string();
    assert!(told.starts_with("--redis: ") && !told.contains("sesame"), "{told}");
}

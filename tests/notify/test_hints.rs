//! Who hears what.

use futures::FutureExt;
use stepwell::model::{Ids, RandomIds, Wake};
use stepwell::notify::{Hints, Notifier, RedisFault, examine_redis};

use crate::console::Console;
use crate::host::{Host, execution, within};
use stepwell_test_servers::redis::Redis;

#[tokio::test]
async fn looking_at_a_redis_sends_a_message_that_comes_back_and_says_why_none_does() {
    let redis = Redis::private().await;

    let seen = Box::pin(within(examine_redis(&redis.url(), &RandomIds))).await.unwrap();
    redis.kill().await;
    let gone = Box::pin(within(examine_redis(&redis.url(), &RandomIds))).await.unwrap_err();

    assert!(seen.version.is_some() && seen.heard_in > 0.0, "{seen:?}");
    assert!(matches!(gone, RedisFault::Refused(_)), "{gone}");
}

#[tokio::test]
async fn work_and_changes_on_one_host_are_heard_on_all() {
    let redis = Redis::private().await;
    let (one, other) = (Host::join(&redis.url()).await, Host::join(&redis.url()).await);
    let (mut here, mut there) = (one.watch(execution(1)), other.watch(execution(1)));
    let unchanged = other.watch(execution(2));

    one.wake(Wake::Changed { execution: execution(1) });
    one.offer_work();

    assert!(here.has_changed().unwrap(), "at once");
    here.mark_unchanged();
    within(there.changed()).await.unwrap();
    let work = Hints { work: true, ..Hints::default() };
    assert_eq!(one.hear().await, work);
    assert_eq!(other.hear().await, work);
    assert!(!unchanged.has_changed().unwrap());
    // What was said comes back to the one who said it, and is no news.
    other.send(one.id, execution(3));
    assert_eq!(one.hear().await, Hints { arrivals: vec![execution(3)], ..Hints::default() });
    assert!(!here.has_changed().unwrap());
}

#[tokio::test]
async fn an_arrival_is_heard_by_its_owner_alone() {
    let redis = Redis::private().await;
    let (one, owner) = (Host::join(&redis.url()).await, Host::join(&redis.url()).await);
    let third = Host::join(&redis.url()).await;

    one.send(owner.id, execution(1));

    assert_eq!(owner.hear_arrivals().await, [execution(1)]);
    assert!(one.hints(one.id).now_or_never().is_none());
    // Whatever else had been said before would have come before this.
    one.send(third.id, execution(2));
    assert_eq!(third.hear().await, Hints { arrivals: vec![execution(2)], ..Hints::default() });
}

#[tokio::test]
async fn a_host_does_not_tell_others_what_concerns_itself() {
    let redis = Redis::private().await;
    let host = Host::join(&redis.url()).await;
    let mut console = Console::open(redis.port()).await;

    host.send(host.id, execution(1));

    assert_eq!(host.hear_arrivals().await, [execution(1)]);
    host.close().await;
    assert_eq!(console.messages().await, 0);
}

#[tokio::test]
async fn many_hints_are_few_messages() {
    let redis = Redis::private().await;
    let (one, other) = (Host::join(&redis.url()).await, Host::join(&redis.url()).await);
    let mut watches: Vec<_> = (0..100).map(|number| other.watch(execution(number))).collect();

    for number in 0..10_000 {
        one.offer_work();
        one.wake(Wake::Changed { execution: execution(number % 100) });
        one.send(other.id, execution(number % 10));
    }

    for watch in &mut watches {
        within(watch.changed()).await.unwrap();
    }
    assert_eq!(other.hear_arrivals().await.len(), 10);
    let messages = Console::open(redis.port()).await.messages().await;
    assert_eq!(messages, 3, "work, arrivals, changes");
}

#[tokio::test]
async fn a_new_incarnation_hears_what_is_for_it_and_not_what_was_for_the_one_before() {
    let redis = Redis::private().await;
    let (one, mut other) = (Host::join(&redis.url()).await, Host::join(&redis.url()).await);
    let before = std::mem::replace(&mut other.id, RandomIds.host());

    // What came for it before it listened was lost, so it is told to look.
    assert_eq!(other.hear().await, Hints { work: true, arrivals: Vec::new(), lost: true });
    one.send(before, execution(1));
    one.send(other.id, execution(2));

    assert_eq!(other.hear_arrivals().await, [execution(2)]);
}

#[tokio::test]
async fn clusters_on_one_redis_do_not_hear_each_other() {
    let redis = Redis::private().await;
    let [blue, green] = ["blue", "green"].map(|name| format!("{}?namespace={name}", redis.url()));
    let (one, other) = (Host::join(&blue).await, Host::join(&blue).await);
    let stranger = Host::join(&green).await;
    let change = stranger.watch(execution(1));

    one.wake(Wake::Changed { execution: execution(1) });
    one.offer_work();

    assert!(other.hear().await.work);
    assert!(stranger.hints(stranger.id).now_or_never().is_none());
    assert!(!change.has_changed().unwrap());
}

#[tokio::test]
async fn what_is_said_last_is_heard_before_a_host_hangs_up() {
    let redis = Redis::private().await;
    let (one, other) = (Host::join(&redis.url()).await, Host::join(&redis.url()).await);

    one.send(other.id, execution(1));
    one.close().await;

    assert_eq!(other.hear_arrivals().await, [execution(1)]);
    let mut console = Console::open(redis.port()).await;
    assert_eq!(console.messages().await, 1);
}

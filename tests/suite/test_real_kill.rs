//! A real host, killed with -9 at random moments while hundreds of executions run.

use serde_json::json;
use stepwell_test_servers::chance::Chance;
use tokio::sync::watch;

use crate::jobs::{Job, Load};
use crate::process::Process;

const EXECUTIONS: usize = 200;
const KILLS: usize = 20;
/// Who start executions and send signals, each one after the other.
const CLIENTS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_killed_again_and_again_loses_nothing_and_does_nothing_twice() {
    let mut chance = Chance::from_environment();
    let mut process = Process::start().await;
    let (publish, hosts) = watch::channel(vec![process.api().clone()]);
    let load = Load::begin((0..EXECUTIONS).map(Job::number), CLIENTS, &hosts);
    // Somebody who waits for longer than any life, by which moments are measured.
    let waits = process.api().run("signals", json!(1)).await;

    for kill in 1..=KILLS {
        load.allow(EXECUTIONS / KILLS);
        // One life in three may end while it begins. If none got any further, whatever it runs would rightly be suspected
        // of killing it, and put aside.
        if kill % 3 > 0 {
            assert_eq!(process.api().run_to_end("noop", json!(kill)).await.value(), kill);
        }
        let moment = chance.next(400);
        let stands = process.api().stands(&waits, &format!("{moment}ms")).await;
        println!("kill {kill} after {moment} ms; who waits is {}", stands.state);
        process.kill();
        process.restart().await;
        publish.send_replace(vec![process.api().clone()]);
    }
    let accepted = load.finish().await;

    let api = process.api().clone();
    api.signalled(&waits, "message", json!("at last")).await;
    assert_eq!(api.ended(&waits).await.value(), json!(["at last"]));
    accepted.check(&api).await;
    process.audit(&accepted.ids()).await;
    println!("{KILLS} kills");
}

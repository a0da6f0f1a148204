//! A schedule that fires each second, over three hosts, of which one is killed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use stepwell::model::{ExecutionId, Name, ScheduleSpec, Timestamp};
use stepwell_test_witness::jobs::{Accepted, Job};
use stepwell_test_witness::ledger::Faults;

use crate::cluster::Cluster;
use crate::storm::{Storm, pass};

const NAME: &str = "each-second";

/// What was started, by its id: when.
async fn started(cluster: &Cluster) -> BTreeMap<String, Timestamp> {
    let sql = "select encode(id, 'hex')::uuid::text || ' ' || created_at from executions";
    let line = |line: String| {
        let (id, at) = line.split_once(' ').unwrap();
        (id.to_owned(), Timestamp::from_micros(at.parse().unwrap()))
    };
    cluster.rows.texts(sql).await.into_iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_second_fires_once_whichever_host_is_killed() {
    let mut storm = Storm::begin("schedules").await;
    let (before, after) = storm.of((6, 14), (40, 80));
    let (mut cluster, _redis) = Cluster::hinted(storm.lease, 3).await;
    let order = json!({ "cron": "* * * * * *", "time_zone": "Europe/Berlin", "workflow": "chain", "input": 3, "overlap": "allow" });
    let path = format!("/v1/schedules/{NAME}");

    let put = cluster.api().send("PUT", &path, order.to_string()).await.unwrap();
    assert_eq!(put.status, 201, "{}", put.body);
    pass(Duration::from_secs(before)).await;
    let place = usize::try_from(storm.chance.next(3)).unwrap();
    let (killed, _) = cluster.kill(place).await;
    storm.tell(format!("{killed} is killed"));
    pass(Duration::from_secs(after)).await;
    let paused = cluster.api().post(&format!("{path}/pause"), &json!({})).await;
    assert_eq!(paused.status, 200, "{}", paused.body);
    let seen = cluster.api().get(&path).await.body;

    let time =
        |value: &serde_json::Value| serde_json::from_value::<Timestamp>(value.clone()).unwrap();
    let (created_at, last) = (time(&seen["created_at"]), time(&seen["last"][0]["at"]));
    let spec: ScheduleSpec = serde_json::from_value(seen["spec"].clone()).unwrap();
    let name = Name::new(NAME).unwrap();
    let mut started = started(&cluster).await;
    let (mut late, mut accepted) = (Vec::new(), Accepted::default());
    for second in spec.upcoming(created_at).take_while(|second| *second <= last) {
        let id = ExecutionId::of_firing(&name, second).to_string();
        let at = started.remove(&id).unwrap_or_else(|| panic!("{second} has not fired"));
        assert!(at >= second, "{second} fired at {at}");
        late.push(at.since(second));
        let job = Job { order: json!(id), signals: 0, result: json!(3), counter: None };
        accepted.add(id, job);
    }
    assert!(started.is_empty(), "these are no second's: {started:?}");
    assert!(u64::try_from(late.len()).unwrap() + 2 >= before + after, "{} fired", late.len());
    assert_eq!(seen["fired"], late.len());
    late.sort();
    storm.tell(format!(
        "{} seconds fired once each, {:?} late at the median, {:?} at most",
        late.len(),
        late[late.len() / 2],
        late[late.len() - 1]
    ));
    cluster.audit(&storm, &accepted, Faults::Kills).await;
}

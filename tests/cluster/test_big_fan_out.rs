//! A fan-out that no host could hold at once: what it costs in memory, and whether its results stand in order.

use serde_json::json;
use stepwell_test_witness::jobs::{Job, Load};
use stepwell_test_witness::ledger::Faults;

use crate::cluster::Cluster;
use crate::storm::Storm;

const HOSTS: usize = 3;
/// What a host may have resident at once. A host of a hundred thousand open calls that kept all of them would need more.
const MEMORY_PEAK_MIB_MAX: u64 = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fan_out_over_three_hosts_needs_little_memory_and_keeps_its_order() {
    let storm = Storm::begin("big fan-out").await;
    let items: u64 = storm.of(5_000, 100_000);
    let (cluster, _redis) = Cluster::hinted(storm.lease, HOSTS).await;
    let peaks = |cluster: &Cluster| -> Vec<u64> {
        cluster.hosts.iter().map(crate::host::Host::memory_peak_mib).collect()
    };
    storm.tell(format!("idle, at most {:?} MiB on each host", peaks(&cluster)));

    let sum: u64 = (0..items).map(|number| number * number).sum();
    let result = json!({ "items": items, "sum": sum, "in_order": true });
    let job = Job::of("fan-out", "fan_out", &json!({ "items": items }), result);
    let done = Load::begin([job].into_iter(), 1, &cluster.doors()).finish().await;
    done.check(cluster.api()).await;

    let peaks = peaks(&cluster);
    storm.tell(format!("{items} items, at most {peaks:?} MiB on each host"));
    assert!(peaks.iter().all(|peak| *peak <= MEMORY_PEAK_MIB_MAX), "{peaks:?} MiB");
    cluster.audit(&storm, &done, Faults::Kills).await;
}

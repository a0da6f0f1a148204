//! Hosts and the schema: one migrates, all serve, and two versions live side by side.

use std::time::Duration;

use stepwell_test_servers::postgres::Postgres;
use stepwell_test_witness::jobs::{Job, Load};
use stepwell_test_witness::ledger::Faults;

use crate::cluster::Cluster;
use crate::host::Host;
use crate::storm::Storm;
use crate::trace;

const CLIENTS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_five_hosts_on_an_empty_database_one_migrates_and_all_serve() {
    let storm = Storm::begin("five at once").await;
    let rounds = storm.of(1, 10);
    let server = Postgres::shared().await;

    for _ in 0..rounds {
        let url = server.url(&server.fresh_database().await);
        let mut cluster = Cluster::at(&url, storm.lease);
        cluster.grow(5).await;
        let schema = "select count(*) - count(distinct version) from stepwell_schema";
        assert_eq!(cluster.rows.count(schema).await, 0);
        assert_eq!(cluster.rows.count("select count(*) from hosts where alive = 1").await, 5);
        trace::install(&cluster.rows).await;
        for place in 0..cluster.hosts.len() {
            let life = cluster.rows.life(cluster.hosts[place].name()).await;
            cluster.takes_work(place, &life).await;
        }
        let jobs = (0..50).map(Job::number);
        let accepted = Load::begin(jobs, CLIENTS, &cluster.doors()).finish().await;
        cluster.audit(&storm, &accepted, Faults::Kills).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_serve_a_schema_one_ahead_of_them_and_refuse_one_further_on() {
    let storm = Storm::begin("two versions").await;
    let (time, in_flight) = storm.of((Duration::from_secs(1), 60), (Duration::from_secs(30), 200));
    let server = Postgres::shared().await;
    let url = server.url(&server.fresh_database().await);
    let mut cluster = Cluster::start(&url, &storm, 2).await;
    let load = Load::begin((0..20_000).map(Job::number), CLIENTS, &cluster.doors());
    let next =
        "insert into stepwell_schema select max(version) + 1, 'made up', 0 from stepwell_schema;";

    cluster.keep_busy(&load, in_flight, time).await;
    let migration = "alter table executions add column made_up bigint; \
         create index made_up on executions (made_up) where made_up is not null;";
    cluster.rows.run(&format!("begin; {migration} {next} commit;")).await;
    cluster.keep_busy(&load, in_flight, time).await;
    cluster.grow(1).await;
    cluster.keep_busy(&load, in_flight, time).await;
    cluster.rows.run(next).await;
    let refused = Host::start("too-old", cluster.flags()).await.err();
    cluster.rows.run("delete from stepwell_schema where version in (select max(version) from stepwell_schema)").await;
    let accepted = load.end().await;

    let said = refused.expect("it starts on a schema that it does not know");
    assert!(said.contains("start the newer stepwell again"), "{said}");
    for place in 0..cluster.hosts.len() {
        let life = cluster.rows.life(cluster.hosts[place].name()).await;
        assert!(cluster.hosts[place].runs() && life.alive);
        cluster.takes_work(place, &life).await;
    }
    cluster.audit(&storm, &accepted, Faults::Kills).await;
}

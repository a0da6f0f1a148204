//! Schedules, from the order to what they start.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::join_all;
use serde_json::{Value, json};
use stepwell::model::{ExecutionId, Name, Timestamp};

use crate::api::PATIENCE;
use crate::dying::{Fault, Way};
use crate::test_host::{Settings, TestHost};

impl TestHost {
    async fn put_schedule(&self, name: &str, spec: &Value) -> Value {
        let path = format!("/v1/schedules/{name}");
        let answer = self.send("PUT", &path, spec.to_string()).await.unwrap();
        assert!(answer.is_ok(), "{spec}: {} {}", answer.status, answer.body);
        answer.body
    }

    async fn schedule(&self, name: &str) -> Value {
        let answer = self.get(&format!("/v1/schedules/{name}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// Looks again and again until a schedule is as `is_so` says, and returns it.
    pub(crate) async fn until_schedule(&self, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            let mut schedule = self.schedule(name).await;
            while !is_so(&schedule) {
                // The pause is the host's: this execution never ends.
                self.stands(&self.endless().await, "20ms").await;
                schedule = self.schedule(name).await;
            }
            schedule
        };
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.unwrap_or_else(|_elapsed| panic!("schedule {name} does not become so"))
    }

    /// Removes a schedule, waits for the end of all that runs, and holds it to the ledger.
    async fn audit_without(&mut self, name: &str) {
        self.delete(&format!("/v1/schedules/{name}")).await;
        let endless = self.endless().await;
        self.cancel(&endless, json!({ "force": true })).await;
        let all = self.get("/v1/executions?limit=1000").await.body;
        for execution in all["executions"].as_array().unwrap() {
            self.ended(execution["id"].as_str().unwrap()).await;
        }
        self.audit().await;
    }

    /// An execution that waits for ever.
    async fn endless(&self) -> String {
        let order = json!({ "workflow": "sleeper", "input": "1w", "idempotency_key": "endless" });
        self.start(order).await
    }
}

fn times(schedule: &Value, key: &str) -> Vec<i64> {
    let firings = schedule["last"].as_array().unwrap();
    let micros = |firing: &Value| {
        let time = firing[key].as_str().unwrap();
        time.parse::<jiff::Timestamp>().unwrap().as_microsecond()
    };
    firings.iter().map(micros).collect()
}

fn each_second(overlap: &str) -> Value {
    json!({ "cron": "* * * * * *", "workflow": "noop", "input": { "b": 1.0 }, "overlap": overlap })
}

#[tokio::test]
async fn a_schedule_starts_its_workflow_each_second_and_never_early() {
    let mut host = TestHost::start().await;

    let put = host.put_schedule("tick", &each_second("allow")).await;
    let fired = host.until_schedule("tick", |tick| tick["fired"].as_u64() >= Some(4)).await;

    assert_eq!(put["next"].as_array().unwrap().len(), 5);
    let (at, started_at) = (times(&fired, "at"), times(&fired, "started_at"));
    assert!(at.windows(2).all(|pair| pair[0] - pair[1] == 1_000_000), "{at:?}");
    assert!(at.iter().zip(&started_at).all(|(at, started)| started >= at), "{fired}");
    let late: Vec<_> = at.iter().zip(&started_at).map(|(at, started)| started - at).collect();
    println!("late by {late:?} us");
    for firing in fired["last"].as_array().unwrap() {
        let end = host.ended(firing["execution"].as_str().unwrap()).await;
        assert_eq!(end.value(), json!({ "b": 1.0 }));
    }
    host.audit_without("tick").await;
}

#[tokio::test]
async fn what_was_due_while_no_host_lived_fires_once_when_one_does() {
    let mut host = TestHost::start().await;
    let hourly = json!({ "every": "1h", "workflow": "noop", "overlap": "allow", "catch_up": "3h" });
    let put = host.put_schedule("hourly", &hourly).await;

    host.kill().await;
    host.spoil("update schedules set next_at = next_at - 7200000000, due_at = 1").await;
    host.restart().await;
    let after = host.until_schedule("hourly", |hourly| hourly["fired"].as_u64() >= Some(2)).await;

    let at = times(&after, "at");
    assert_eq!((at.len(), at[0] - at[1]), (2, 3_600_000_000), "{after}");
    assert_eq!((&after["next"], &after["last_missed"]), (&put["next"], &Value::Null));
    host.audit_without("hourly").await;
}

#[tokio::test]
async fn a_firing_that_cannot_start_is_told_and_the_next_one_is_tried() {
    let mut host = TestHost::start().await;
    let nowhere = json!({ "every": "1s", "workflow": "nowhere" });

    host.put_schedule("tick", &nowhere).await;
    let failed = host.until_schedule("tick", |tick| tick["failed"].as_u64() >= Some(2)).await;
    host.put_schedule("tick", &json!({ "every": "1s", "workflow": "noop" })).await;
    let fired = host.until_schedule("tick", |tick| tick["fired"].as_u64() >= Some(1)).await;

    assert_eq!(failed["fired"], 0);
    assert_eq!(failed["last_failure"]["failure"]["kind"], "unknown-workflow");
    assert!(fired["failed"].as_u64() >= Some(2));
    host.audit_without("tick").await;
}

#[tokio::test]
async fn an_input_that_does_not_fit_is_told_with_its_place() {
    let mut host = TestHost::start().await;
    let spec = json!({ "every": "1s", "workflow": "checkout", "input": { "order": 7 } });

    host.put_schedule("tick", &spec).await;
    let failed = host.until_schedule("tick", |tick| tick["failed"].as_u64() >= Some(1)).await;

    let failure = &failed["last_failure"]["failure"];
    assert_eq!(failure["kind"], "invalid-input", "{failed}");
    assert!(failure["message"].as_str().unwrap().contains("/order"), "{failed}");
    host.audit_without("tick").await;
}

#[tokio::test]
async fn while_one_runs_firings_are_skipped_or_queued_or_take_its_place() {
    let mut host = TestHost::start().await;
    let slow = |overlap: &str| json!({ "every": "1s", "workflow": "sleeper", "input": "1h", "overlap": overlap });

    host.put_schedule("skip", &slow("skip")).await;
    host.put_schedule("queue", &slow("queue")).await;
    host.put_schedule("cancel", &slow("cancel_previous")).await;
    let skip = host.until_schedule("skip", |one| one["skipped"].as_u64() >= Some(2)).await;
    let queue =
        host.until_schedule("queue", |one| one["queued"].as_array().unwrap().len() >= 2).await;
    let cancel = host.until_schedule("cancel", |one| one["fired"].as_u64() >= Some(2)).await;
    for name in ["skip", "queue", "cancel"] {
        host.post(&format!("/v1/schedules/{name}/pause"), &json!({})).await;
    }

    assert_eq!((&skip["fired"], &queue["fired"]), (&json!(1), &json!(1)));
    let before = cancel["last"][1]["execution"].as_str().unwrap();
    assert_eq!(host.ended(before).await.state, "cancelled");

    // When what runs has ended, the next one that waits begins, and without any other firing.
    let second_slow =
        json!({ "every": "1h", "workflow": "sleeper", "input": "1h", "overlap": "queue" });
    host.put_schedule("queue", &second_slow).await;
    host.post("/v1/schedules/queue/resume", &json!({})).await;
    let running = queue["running"][0].as_str().unwrap();
    host.cancel(running, json!({ "force": true })).await;
    let next = host.until_schedule("queue", |one| one["fired"] == 2).await;
    assert_eq!(next["last"][0]["at"], queue["queued"][0]);
    host.kill().await;
}

#[tokio::test]
async fn a_start_by_hand_happens_once_for_its_key_even_while_paused() {
    let mut host = TestHost::start().await;
    let yearly = json!({ "cron": "@yearly", "workflow": "noop", "input": "x" });
    let put = host.put_schedule("yearly", &yearly).await;
    host.post("/v1/schedules/yearly/pause", &json!({})).await;

    let key = json!({ "idempotency_key": "once" });
    let first = host.post("/v1/schedules/yearly/trigger", &key).await;
    let again = host.post("/v1/schedules/yearly/trigger", &key).await;
    let other = host.post("/v1/schedules/yearly/trigger", &json!({})).await;

    assert_eq!((first.status, again.status, other.status), (201, 200, 201), "{}", first.body);
    assert_eq!(first.body["id"], again.body["id"]);
    assert_ne!(first.body["id"], other.body["id"]);
    assert_eq!(host.ended(first.body["id"].as_str().unwrap()).await.value(), "x");
    host.ended(other.body["id"].as_str().unwrap()).await.value();
    let resumed = host.post("/v1/schedules/yearly/resume", &json!({})).await.body;
    assert_eq!((&resumed["fired"], &resumed["next"]), (&json!(2), &put["next"]));
    host.put_schedule("yearly", &json!({ "cron": "@yearly", "workflow": "noop", "input": "y" }))
        .await;
    let conflict = host.post("/v1/schedules/yearly/trigger", &key).await;
    assert_eq!((conflict.status, conflict.problem()), (409, "idempotency-conflict"));
    host.audit().await;
}

#[tokio::test]
async fn what_is_no_schedule_is_refused_with_its_place() {
    let host = TestHost::start().await;
    let put = async |name: &str, spec: Value| {
        host.send("PUT", &format!("/v1/schedules/{name}"), spec.to_string()).await.unwrap()
    };

    for (spec, word) in [
        (
            json!({ "cron": "0 25 * * *", "workflow": "noop" }),
            "cron field 2 (hour) is 25, must be 0-23",
        ),
        (json!({ "cron": "@daily", "time_zone": "Nowhere", "workflow": "noop" }), "Europe/Berlin"),
        (json!({ "workflow": "noop" }), "neither"),
        (json!({ "every": "1s" }), "workflow"),
        (json!({ "every": "1s", "workflow": "noop", "priority": 1000 }), "priority is 1000"),
        (json!({ "every": "1s", "workflow": "noop", "overlaps": "skip" }), "overlaps"),
    ] {
        let refused = put("tick", spec).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert!(refused.body["detail"].as_str().unwrap().contains(word), "{}", refused.body);
    }
    let named = put("a%20b", json!({ "every": "1s", "workflow": "noop" })).await;
    assert!(
        named.body["detail"].as_str().unwrap().contains("the schedule's name"),
        "{}",
        named.body
    );
    for path in ["", "/pause", "/resume", "/trigger"] {
        let path = format!("/v1/schedules/nobody{path}");
        let answer = if path.ends_with("nobody") {
            host.get(&path).await
        } else {
            host.post(&path, &json!({})).await
        };
        assert_eq!((answer.status, answer.problem()), (404, "unknown-schedule"), "{path}");
    }
    assert_eq!(host.delete("/v1/schedules/nobody").await.status, 404);
    assert_eq!(host.get("/v1/schedules?limit=0").await.status, 422);
}

/// Whatever write a host dies at that fires, each second has started its workflow once.
#[tokio::test]
async fn a_death_at_any_write_of_a_firing_leaves_out_no_second_and_repeats_none() {
    for way in Way::ALL {
        join_all((1..=4).map(|write| fires_each_second_under(write, way))).await;
    }
}

async fn fires_each_second_under(write: u64, way: Way) {
    let fault = Arc::new(Fault::at(write, way));
    let settings = Settings { fault: Some(Arc::clone(&fault)), ..Settings::default() };
    let mut host = TestHost::start_with(settings).await;
    let three = async |host: &TestHost| {
        let put = async || {
            let body = each_second("allow").to_string();
            host.send("PUT", "/v1/schedules/tick", body).await.unwrap().status
        };
        while put().await == 503 {}
        host.until_schedule("tick", |tick| tick["fired"].as_u64() >= Some(3)).await
    };

    tokio::select! {
        _fired = three(&host) => {}
        () = fault.died() => {
            host.settings().fault = None;
            host.kill_and_restart().await;
            three(&host).await;
        }
    }
    while host.post("/v1/schedules/tick/pause", &json!({})).await.status == 503 {}

    let schedule = host.schedule("tick").await;
    let list = host.get("/v1/executions?workflow=noop&limit=1000").await.body;
    let ids: BTreeSet<_> = list["executions"].as_array().unwrap().iter().map(id_of).collect();
    let last: Timestamp = serde_json::from_value(schedule["last"][0]["at"].clone()).unwrap();
    let name = Name::new("tick").unwrap();
    let seconds = (0..ids.len() as u64).map(|back| last - std::time::Duration::from_secs(back));
    let expected = seconds.map(|second| ExecutionId::of_firing(&name, second).to_string());
    assert_eq!(ids, expected.collect(), "{way:?} write {write}");
    assert_eq!(schedule["fired"].as_u64(), Some(ids.len() as u64), "{way:?} write {write}");
    host.audit_without("tick").await;
}

fn id_of(execution: &Value) -> String {
    execution["id"].as_str().unwrap().to_owned()
}

/// The command line puts, shows, lists, starts and removes.
#[tokio::test]
async fn schedules_are_kept_by_the_command_line() {
    let mut host = TestHost::start().await;
    let stepwell = async |line: &str| {
        let server = format!("http://{}", host.address());
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_stepwell"));
        command.args(["--server", &server, "schedules"]).args(line.split_whitespace());
        let output = command.output().await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    };

    let put = "put nightly noop --cron @yearly --time-zone Europe/Berlin --input 7 --overlap queue";
    let (code, said) = stepwell(put).await;
    assert!(code == 0 && said.contains("schedule nightly fires next at 20"), "{said}");
    let (_, listed) = stepwell("list").await;
    assert!(listed.contains("@yearly (Europe/Berlin)") && listed.contains("noop"), "{listed}");
    let (_, id) = stepwell("trigger nightly --key once").await;
    assert_eq!(host.ended(id.trim()).await.value(), 7);
    let (_, shown) = stepwell("show nightly").await;
    assert!(shown.contains("1 fired") && shown.contains(id.trim()), "{shown}");
    assert_eq!(stepwell("pause nightly").await.1.trim(), "schedule nightly is paused");
    assert!(stepwell("resume nightly").await.1.contains("fires next at"));
    assert_eq!(stepwell("delete nightly").await.1.trim(), "schedule nightly is removed");
    let (code, refused) = stepwell("show nightly").await;
    assert!(code == 4 && refused.contains("there is no schedule nightly"), "{code} {refused}");
    let preview = "preview --every 90s --after 2026-01-31T08:00:00Z --count 2";
    assert_eq!(stepwell(preview).await.1, "2026-01-31 08:01:30\n2026-01-31 08:03:00\n");
    let (code, refused) = stepwell("preview --every 10ms").await;
    assert!(code == 2 && refused.contains("every is 10ms"), "{code} {refused}");
    host.audit().await;
}

//! Why something waits: decided from facts, without I/O.

use super::wait::{HolderShown, LimitShown, Wait};
use crate::model::{ExecutionState, Routing, Timestamp};
use crate::store::{ExecutionView, Serving, Surroundings, TaskRow};

/// Why a task waits; none where it runs.
pub(super) fn why_task(task: &TaskRow, around: &Surroundings) -> Option<Wait> {
    if task.owner.is_some() {
        return None;
    }
    let place = unserved(task.paused_at, &task.routing, around);
    let place = place.or(task.follows.then_some(Wait::Result { task: task.leader }));
    place
        .or_else(|| by_limit(task, around))
        .or_else(|| by_time(task, around.now))
        .or(Some(Wait::HostsBusy))
}

/// Why an execution that nobody has begun, or that could go on, waits; none where it runs, is parked or has ended.
pub(super) fn why_execution(view: &ExecutionView, around: &Surroundings) -> Option<Wait> {
    let is_due = view.visible_at.is_some_and(|due| due <= around.now);
    let is_begun = view.row.state != ExecutionState::Pending;
    let is_over = view.row.state.is_terminal() || view.row.state == ExecutionState::Blocked;
    let is_parked = is_begun && !is_due && view.row.paused_at.is_none();
    if view.owner.is_some() || is_over || is_parked {
        return None;
    }
    let later = view.visible_at.filter(|due| *due > around.now);
    let place = unserved(view.row.paused_at, &view.row.routing, around);
    place.or(later.map(|until| Wait::NotBefore { until })).or(Some(Wait::HostsBusy))
}

/// What keeps every host from taking it.
fn unserved(paused: Option<Timestamp>, routing: &Routing, around: &Surroundings) -> Option<Wait> {
    if let Some(since) = paused {
        return Some(Wait::ExecutionPaused { since });
    }
    let queue = routing.queue.clone();
    if let Some((_, since)) = around.paused_queues.iter().find(|(name, _)| *name == queue) {
        return Some(Wait::QueuePaused { queue, since: *since });
    }
    let is_served = around.hosts.iter().any(|host| serves(host, routing));
    (!is_served).then(|| Wait::NoHost { queue, tags: routing.tags.clone() })
}

fn serves(host: &Serving, routing: &Routing) -> bool {
    let shares = || routing.tags.iter().any(|tag| host.tags.contains(tag));
    (host.queues.is_empty() || host.queues.contains(&routing.queue))
        && (host.tags.is_empty() || routing.tags.is_empty() || shares())
}

fn by_time(task: &TaskRow, now: Timestamp) -> Option<Wait> {
    if task.ready || task.blocked_on.is_some() || task.visible_at <= now {
        return None;
    }
    let until = task.visible_at;
    Some(match &task.last_failure {
        Some(failure) => {
            Wait::RetryBackOff { until, attempt: task.attempt, failure: failure.clone() }
        }
        None => Wait::NotBefore { until },
    })
}

fn by_limit(task: &TaskRow, around: &Surroundings) -> Option<Wait> {
    let name = task.blocked_on.as_ref()?;
    let limit = around.limits.iter().find(|limit| limit.name == *name)?;
    let has_slot = limit.slots.is_none_or(|slots| limit.running < u64::from(slots));
    let shown = LimitShown::from(limit);
    match limit.meter {
        // Tokens that are there may be kept for those that have gone past it and are about to begin.
        Some(meter) if has_slot => {
            let until = meter.due(1).unwrap_or(around.now).max(around.now);
            Some(Wait::Rate { limit: shown, until })
        }
        Some(_) | None => {
            let holders = limit.holders.iter().cloned().map(|holder| HolderShown {
                task: holder.task,
                execution: holder.execution,
                step: holder.step,
                since: holder.since,
            });
            Some(Wait::Limit { limit: shown, holders: holders.collect() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ExecutionId, Failure, HostId, Meter, Name, Promise, Run, TaskId};
    use crate::store::{Holder, LimitRow};

    const NOW: Timestamp = Timestamp::from_micros(1_000_000);

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn task() -> TaskRow {
        TaskRow {
            id: TaskId::from_bytes([1; 16]),
            execution: ExecutionId::from_bytes([2; 16]),
            run: Run(0),
            workflow: name("checkout"),
            promise: Promise(0),
            step: name("charge"),
            routing: Routing::default(),
            attempt: 1,
            losses: 0,
            created_at: NOW,
            visible_at: NOW,
            ready: true,
            owner: None,
            started_at: None,
            schedule_by: None,
            last_failure: None,
            limits: [None, None],
            blocked_on: None,
            paused_at: None,
            follows: false,
            leader: None,
        }
    }

    fn limited() -> TaskRow {
        TaskRow { ready: false, blocked_on: Some("s:shop/charge".to_owned()), ..task() }
    }

    fn around(limit: Option<LimitRow>) -> Surroundings {
        Surroundings {
            now: NOW,
            hosts: vec![Serving::default()],
            paused_queues: Vec::new(),
            limits: limit.into_iter().collect(),
        }
    }

    fn limit(slots: Option<u32>, meter: Option<Meter>, running: u64) -> LimitRow {
        let holder = Holder {
            task: TaskId::from_bytes([8; 16]),
            execution: ExecutionId::from_bytes([9; 16]),
            step: name("charge"),
            since: Some(NOW),
        };
        LimitRow {
            name: "s:shop/charge".to_owned(),
            step: name("charge"),
            key: Some("\"ada\"".to_owned()),
            slots,
            rate: meter.map(|_| "10/s".to_owned()),
            meter,
            running,
            holders: vec![holder],
        }
    }

    #[test]
    fn what_runs_does_not_wait_and_what_is_ready_waits_for_a_host() {
        let running = TaskRow { owner: Some(HostId::from_bytes([3; 16])), ..task() };

        assert_eq!(why_task(&running, &around(None)), None);
        assert_eq!(why_task(&task(), &around(None)), Some(Wait::HostsBusy));
    }

    #[test]
    fn a_pause_comes_before_all_else() {
        let paused = TaskRow { paused_at: Some(NOW), ..limited() };
        let mut queue = around(None);
        queue.paused_queues.push((Name::default_queue(), NOW));
        queue.hosts.clear();

        assert_eq!(why_task(&paused, &queue), Some(Wait::ExecutionPaused { since: NOW }));
        let wait = why_task(&limited(), &queue).unwrap();
        assert_eq!(wait, Wait::QueuePaused { queue: Name::default_queue(), since: NOW });
        assert!(wait.to_string().starts_with("queue default has been paused since"));
    }

    #[test]
    fn nobody_serves_its_queue_or_its_tag() {
        let tagged = TaskRow {
            routing: Routing { tags: vec![name("gpu")], ..Routing::default() },
            ..task()
        };
        let of = |queues: &[&str], tags: &[&str]| {
            let names = |all: &[&str]| all.iter().map(|text| name(text)).collect();
            let hosts = vec![Serving { queues: names(queues), tags: names(tags) }];
            Surroundings { hosts, ..around(None) }
        };

        assert!(matches!(why_task(&task(), &of(&["other"], &[])), Some(Wait::NoHost { .. })));
        assert!(matches!(why_task(&tagged, &of(&[], &["cpu"])), Some(Wait::NoHost { .. })));
        assert_eq!(why_task(&tagged, &of(&["default"], &["gpu"])), Some(Wait::HostsBusy));
        assert_eq!(why_task(&task(), &of(&[], &["cpu"])), Some(Wait::HostsBusy));
    }

    #[test]
    fn one_that_follows_names_the_one_it_follows() {
        let leader = Some(TaskId::from_bytes([5; 16]));
        let following = TaskRow { follows: true, leader, ready: false, ..task() };

        assert_eq!(why_task(&following, &around(None)), Some(Wait::Result { task: leader }));
    }

    #[test]
    fn a_full_limit_says_who_holds_it() {
        let wait = why_task(&limited(), &around(Some(limit(Some(5), None, 5)))).unwrap();

        let Wait::Limit { limit, holders } = &wait else { unreachable!() };
        assert_eq!((limit.running, limit.max_concurrent, holders.len()), (5, Some(5), 1));
        assert_eq!(
            wait.to_string(),
            "5 of at most 5 run of step charge for the key \"ada\" (max_concurrent)"
        );
    }

    #[test]
    fn a_rate_says_when_the_next_may_begin() {
        let meter = Meter { interval: 100_000, burst: 1, tat: 1_050_000 };

        let wait = why_task(&limited(), &around(Some(limit(Some(5), Some(meter), 2)))).unwrap();
        let full = why_task(&limited(), &around(Some(limit(Some(5), Some(meter), 5)))).unwrap();

        let Wait::Rate { until, .. } = wait else { unreachable!() };
        assert_eq!(until, Timestamp::from_micros(1_050_000));
        assert!(matches!(full, Wait::Limit { .. }));
    }

    #[test]
    fn a_time_to_come_is_told_with_the_failure_before_it() {
        let until = Timestamp::from_micros(2_000_000);
        let delayed = TaskRow { ready: false, visible_at: until, ..task() };
        let failure = Failure::new("busy", "later");
        let retried =
            TaskRow { last_failure: Some(failure.clone()), attempt: 2, ..delayed.clone() };

        assert_eq!(why_task(&delayed, &around(None)), Some(Wait::NotBefore { until }));
        assert_eq!(
            why_task(&retried, &around(None)),
            Some(Wait::RetryBackOff { until, attempt: 2, failure })
        );
    }
}

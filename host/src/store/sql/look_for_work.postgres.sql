-- Looks for work as a renewal does, and leaves the lease as it is. Nothing comes back where the host is dead.
-- $1 the host.
select
  (extract(epoch from clock_timestamp()) * 1000000)::bigint as now,
  (
    exists (select 1 from executions where ready = 1)
    or exists (select 1 from tasks where ready = 1)
  )::int::bigint as work,
  exists (
    select 1
    from executions
    join inbox on inbox.execution_id = executions.id
    where executions.owner = hosts.id
  )::int::bigint as arrivals,
  least(
    (select min(visible_at) from executions where ready = 0 and owner is null and paused_at is null and visible_at is not null),
    (select min(visible_at) from tasks where ready = 0 and owner is null),
    (select min(schedule_by) from tasks where owner is null and schedule_by is not null),
    (select min(next_at) from limits where next_at is not null)
  ) as next_due,
  (
    exists (select 1 from executions where ready = 1 and losses > 0)
    or exists (select 1 from tasks where ready = 1 and losses > 0)
  )::int::bigint as lost,
  (select count(*) from hosts as living where living.alive = 1) as hosts,
  (select min(other.lease_ends) from hosts as other where other.alive = 1 and other.id <> $1) as next_lease_end,
  steady_since,
  coalesce((select sum(changes) from queues), 0)::bigint as queue_changes,
  exists (select 1 from stopping_tasks where owner = hosts.id)::int::bigint as stopping,
  exists (select 1 from results where awaited = 1 and state <> 'running')::int::bigint as followers,
  (select min(due_at) from schedules where paused_at is null and due_at is not null) as next_firing
from hosts
where id = $1
  and alive = 1

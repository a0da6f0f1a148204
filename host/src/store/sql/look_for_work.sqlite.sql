-- Looks for work as a renewal does. Nothing comes back where the host is dead.
-- $1 the host.
select
  cast(unixepoch('subsec') * 1000000 as integer) as now,
  exists (select 1 from executions where ready = 1)
    or exists (select 1 from tasks where ready = 1) as work,
  exists (
    select 1
    from executions
    join inbox on inbox.execution_id = executions.id
    where executions.owner = hosts.id
  ) as arrivals,
  (
    select min(due)
    from (
      select min(visible_at) as due
      from executions
      where ready = 0 and owner is null and paused_at is null and visible_at is not null
      union all
      select min(visible_at) from tasks where ready = 0 and owner is null
      union all
      select min(schedule_by) from tasks where owner is null and schedule_by is not null
      union all
      select min(next_at) from limits where next_at is not null
    )
  ) as next_due,
  exists (select 1 from executions where ready = 1 and losses > 0)
    or exists (select 1 from tasks where ready = 1 and losses > 0) as lost,
  (select count(*) from hosts as living where living.alive = 1) as hosts,
  null as next_lease_end,
  steady_since,
  coalesce((select sum(changes) from queues), 0) as queue_changes,
  exists (select 1 from stopping_tasks where owner = hosts.id) as stopping,
  exists (select 1 from results where awaited = 1 and state <> 'running') as followers,
  (select min(due_at) from schedules where paused_at is null and due_at is not null) as next_firing
from hosts
where id = $1
  and alive = 1

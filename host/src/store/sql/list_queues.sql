-- Every queue that something waits or runs in, or that was paused once: what is in it, since when the oldest task waits, and
-- since when the oldest of the first hundred executions in line.
-- $1 how many at most.
with line (queue, executions) as materialized (
  select queue, count(*)
  from executions
  where ready = 1
  group by queue
),
names (name) as (
  select name from queues
  union
  select queue from tasks
  union
  select queue from line
)
select
  names.name,
  queues.paused_at,
  (select count(*) from tasks where tasks.queue = names.name and tasks.owner is null) as waiting,
  (select count(*) from tasks where tasks.queue = names.name and tasks.owner is not null) as running,
  (
    select count(*)
    from tasks
    where tasks.queue = names.name
      and tasks.blocked_on is not null
  ) as blocked,
  (select min(tasks.created_at) from tasks where tasks.queue = names.name and tasks.owner is null) as oldest,
  coalesce(line.executions, 0) as executions,
  (
    select min(first.visible_at)
    from (
      select executions.visible_at
      from executions
      where executions.ready = 1
        and executions.queue = names.name
      order by executions.rank
      limit 100
    ) as first
  ) as oldest_execution
from names
left join queues on queues.name = names.name
left join line on line.queue = names.name
order by names.name
limit $1

-- Every queue that something waits or runs in, or that was paused once: what is in it, and since when the oldest waits.
-- $1 how many at most.
with names (name) as (
  select name from queues
  union
  select queue from tasks
  union
  select queue from executions where ready = 1
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
  (select count(*) from executions where executions.ready = 1 and executions.queue = names.name) as executions
from names
left join queues on queues.name = names.name
order by names.name
limit $1

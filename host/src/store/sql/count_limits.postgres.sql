-- How many tasks run under limits, how many have gone past them, could begin and do not run yet, and whether any waits.
-- $1 an array: the name.
select
  asked.name,
  (
    select count(*)
    from tasks
    where step_limit = asked.name
      and owner is not null
  ) + (
    select count(*)
    from tasks
    where key_limit = asked.name
      and owner is not null
  ) + (
    select count(*)
    from stopping_tasks
    where step_limit = asked.name
  ) + (
    select count(*)
    from stopping_tasks
    where key_limit = asked.name
  ) as running,
  (
    select count(*)
    from (
      select execution_id, queue, tags
      from tasks
      where step_limit = asked.name and owner is null and blocked_on is null and ready = 1
      union all
      select execution_id, queue, tags
      from tasks
      where key_limit = asked.name and owner is null and blocked_on is null and ready = 1
      union all
      select execution_id, queue, tags
      from tasks
      where key_limit = asked.name and blocked_on = step_limit
    ) as passed
    where not exists (
      select 1 from executions where executions.id = passed.execution_id and executions.paused_at is not null
    )
      and not exists (select 1 from queues where queues.name = passed.queue and queues.paused_at is not null)
      and exists (
        select 1
        from hosts
        where hosts.alive = 1
          and (hosts.queues is null or hosts.queues::jsonb ? passed.queue)
          and (hosts.tags is null or passed.tags is null or passed.tags::jsonb ?| array(select jsonb_array_elements_text(hosts.tags::jsonb)))
      )
  ) as passed,
  (exists (select 1 from tasks where blocked_on = asked.name))::int::bigint as waiting
from unnest($1::text[]) as asked (name)

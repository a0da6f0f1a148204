-- Lets tasks that wait for limits go on, lowest rank first: from the limit of their key to that of their step, and from there to
-- whoever claims them.
-- The values of a row: the limit, how many may go past it, now.
with opened (name, room, now) as (
  values (?, ?, ?)
),
first_few (id, name, rank) as (
  select task.id, opened.name, task.rank
  from opened
  cross join tasks as task
  where task.id in (
    select candidate.id
    from tasks as candidate
    where candidate.blocked_on = opened.name
      and not exists (
        select 1 from executions where executions.id = candidate.execution_id and executions.paused_at is not null
      )
      and not exists (select 1 from queues where queues.name = candidate.queue and queues.paused_at is not null)
      and exists (
        select 1
        from hosts
        where hosts.alive = 1
          and (hosts.queues is null or candidate.queue in (select value from json_each(hosts.queues)))
          and (hosts.tags is null or candidate.tags is null or exists (
            select 1 from json_each(candidate.tags) as tag where tag.value in (select value from json_each(hosts.tags))
          ))
      )
    order by candidate.rank
    limit (select max(room) from opened)
  )
),
chosen (id) as (
  select numbered.id
  from (
    select id, name, row_number() over (partition by name order by rank) as place
    from first_few
  ) as numbered
  join opened on opened.name = numbered.name
  where numbered.place <= opened.room
)
update tasks
set
  blocked_on = case when blocked_on = key_limit then step_limit end,
  ready = case when blocked_on = key_limit and step_limit is not null then 0 else 1 end,
  visible_at = case
    when blocked_on = key_limit and step_limit is not null then visible_at
    else (select min(opened.now) from opened)
  end
where id in (select id from chosen)
returning step_limit, key_limit, blocked_on

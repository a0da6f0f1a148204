-- Lets tasks that wait for limits go on, lowest rank first: from the limit of their key to that of their step, and from there to
-- whoever claims them.
-- $1 and on, an array each: the limit, how many may go past it, now.
update tasks
set
  blocked_on = case when blocked_on = key_limit then step_limit end,
  ready = case when blocked_on = key_limit and step_limit is not null then 0 else 1 end,
  visible_at = case
    when blocked_on = key_limit and step_limit is not null then visible_at
    else (select min(given.now) from unnest($3::bigint[]) as given (now))
  end
where id = any(array(
  select work.id
  from unnest($1::text[], $2::bigint[]) as opened (name, room)
  cross join lateral (
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
          and (hosts.queues is null or hosts.queues::jsonb ? candidate.queue)
          and (hosts.tags is null or candidate.tags is null or candidate.tags::jsonb ?| array(select jsonb_array_elements_text(hosts.tags::jsonb)))
      )
    order by candidate.rank
    limit opened.room
    for update skip locked
  ) as work
))
returning step_limit, key_limit, blocked_on

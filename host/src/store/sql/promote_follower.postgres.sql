-- Makes the first of those who follow a result its leader, one that can begin before all others; one with a limit waits for that. What another host is at is left to it.
-- $1 the key, $2 now.
update tasks
set
  result_key = follows,
  follows = null,
  ready = case when coalesce(key_limit, step_limit) is null then 1 else 0 end,
  blocked_on = coalesce(key_limit, step_limit),
  visible_at = case when coalesce(key_limit, step_limit) is null then $2 else 9223372036854775807 end
where id = (
  select follower.id
  from tasks as follower
  where follower.follows = $1
  order by
    case
      when exists (select 1 from executions where executions.id = follower.execution_id and executions.paused_at is not null) then 1
      when exists (select 1 from queues where queues.name = follower.queue and queues.paused_at is not null) then 1
      when exists (
        select 1
        from hosts
        where hosts.alive = 1
          and (hosts.queues is null or hosts.queues::jsonb ? follower.queue)
          and (hosts.tags is null or follower.tags is null or follower.tags::jsonb ?| array(select jsonb_array_elements_text(hosts.tags::jsonb)))
      ) then 0
      else 1
    end,
    follower.id
  limit 1
  for update skip locked
)
returning id, step_limit, key_limit

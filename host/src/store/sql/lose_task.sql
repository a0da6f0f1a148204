-- Gives back a task whose attempt was lost: it does not count. One with a limit waits for that again.
-- $1 the task, $2 the host, $3 the attempt, $4 now, $5 how many losses it counts for.
update tasks
set
  owner = null,
  ready = case when coalesce(key_limit, step_limit) is null then 1 else 0 end,
  blocked_on = coalesce(key_limit, step_limit),
  visible_at = case when coalesce(key_limit, step_limit) is null then $4 else 9223372036854775807 end,
  losses = losses + $5
where id = $1
  and owner = $2
  and attempt = $3
returning execution_id, run, promise, step, step_limit, key_limit

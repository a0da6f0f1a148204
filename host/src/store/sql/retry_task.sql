-- Has a task wait for its next attempt.
-- $1 the task, $2 the host, $3 the attempt, $4 when, $5 the failure, $6 the last heartbeat (null: that of the attempt before is kept), $7 now.
update tasks
set
  owner = null,
  visible_at = case when cast($4 as bigint) <= $7 and coalesce(key_limit, step_limit) is not null then 9223372036854775807 else $4 end,
  ready = case when cast($4 as bigint) <= $7 and coalesce(key_limit, step_limit) is null then 1 else 0 end,
  blocked_on = case when cast($4 as bigint) <= $7 then coalesce(key_limit, step_limit) end,
  attempt = attempt + 1,
  losses = 0,
  last_failure = $5,
  heartbeat = coalesce($6, heartbeat)
where id = $1
  and owner = $2
  and attempt = $3
returning execution_id, run, promise, step, step_limit, key_limit

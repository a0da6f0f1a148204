-- Makes the tasks of a dead host ready for any other: each counts one loss, not an attempt.
-- Those with a limit wait for that again.
-- $1 the host, $2 now.
update tasks
set
  owner = null,
  ready = case when coalesce(key_limit, step_limit) is null then 1 else 0 end,
  blocked_on = coalesce(key_limit, step_limit),
  visible_at = case when coalesce(key_limit, step_limit) is null then $2 else 9223372036854775807 end,
  losses = losses + 1
where owner = $1
returning step_limit, key_limit

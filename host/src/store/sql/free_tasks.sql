-- Makes the tasks of a dead host ready for any other: each counts one loss, not an attempt.
-- $1 the host, $2 now.
update tasks
set
  owner = null,
  ready = 1,
  visible_at = $2,
  losses = losses + 1
where owner = $1

-- Gives back a task whose attempt was lost: it does not count.
-- $1 the task, $2 the host, $3 the attempt, $4 now, $5 how many losses it counts for.
update tasks
set
  owner = null,
  ready = 1,
  visible_at = $4,
  losses = losses + $5
where id = $1
  and owner = $2
  and attempt = $3
returning execution_id, run, promise, step

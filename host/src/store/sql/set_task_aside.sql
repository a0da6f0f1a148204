-- Has nobody claim a task that cannot be read, and gives back what can be read of it.
-- $1 the task, $2 the host.
update tasks
set
  owner = null,
  ready = 0,
  visible_at = 9223372036854775807
where id = $1
  and owner = $2
returning execution_id, run, promise, step, step_limit, key_limit

-- Takes the row of an attempt that has ended: only from what this gives back may an outcome be made.
-- $1 the task, $2 the host, $3 the attempt.
delete from tasks
where id = $1
  and owner = $2
  and attempt = $3
returning execution_id, run, promise, step

-- Removes calls that no longer interest their workflow. The values of a row: execution, run, promise.
delete from tasks
using unnest($1::bytea[], $2::bigint[], $3::bigint[]) as dropped (execution_id, run, promise)
where tasks.execution_id = dropped.execution_id
  and tasks.run = dropped.run
  and tasks.promise = dropped.promise
returning
  tasks.id, tasks.owner, tasks.attempt, tasks.execution_id, tasks.step, tasks.started_at, tasks.step_limit, tasks.key_limit

-- Attempts of dropped calls that run no longer. $1 and on, an array each: the task, the host.
delete from stopping_tasks
using unnest($1::bytea[], $2::bytea[]) as stopped (id, owner)
where stopping_tasks.id = stopped.id
  and stopping_tasks.owner = stopped.owner
returning stopping_tasks.step_limit, stopping_tasks.key_limit

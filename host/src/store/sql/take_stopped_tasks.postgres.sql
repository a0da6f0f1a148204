-- Attempts of dropped calls that run no longer. $1 and on, an array each: the task, the host, the attempt.
delete from stopping_tasks
using unnest($1::bytea[], $2::bytea[], $3::bigint[]) as stopped (id, owner, attempt)
where stopping_tasks.id = stopped.id
  and stopping_tasks.owner = stopped.owner
  and stopping_tasks.attempt = stopped.attempt
returning stopping_tasks.step_limit, stopping_tasks.key_limit

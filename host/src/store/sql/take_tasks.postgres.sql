-- Takes the rows of attempts that have ended: only from what this gives back may outcomes be made.
-- $1 and on, an array each: the task, the host, the attempt.
delete from tasks
using unnest($1::bytea[], $2::bytea[], $3::bigint[]) as ended (id, owner, attempt)
where tasks.id = ended.id
  and tasks.owner = ended.owner
  and tasks.attempt = ended.attempt
returning
  tasks.id, tasks.execution_id, tasks.run, tasks.promise, tasks.step, tasks.step_limit, tasks.key_limit,
  tasks.result_key, tasks.queue

-- Removes the calls that a superseded part of the journal made.
-- $1 the execution, $2 the first promise that no longer counts.
delete from tasks
where execution_id = $1
  and promise >= $2
returning id, owner, attempt, execution_id, step, started_at, step_limit, key_limit

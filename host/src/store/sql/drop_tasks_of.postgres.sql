-- Removes the calls of executions that end, and says which. The value of a row: the execution.
delete from tasks
where execution_id = any($1::bytea[])
returning id, owner, attempt, execution_id, step, started_at, step_limit, key_limit

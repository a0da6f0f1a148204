-- Removes the state of executions that are removed. The value of a row: the execution.
delete from state
where execution_id = any($1::bytea[])

-- Removes what is left of the calls of executions that have ended. The value of a row: the execution.
delete from tasks
where execution_id = any($1::bytea[])

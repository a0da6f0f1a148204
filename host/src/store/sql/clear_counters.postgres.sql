-- Removes the counters of executions that are removed. The value of a row: the execution.
delete from counters
where execution_id = any($1::bytea[])

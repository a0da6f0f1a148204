-- Removes what is left in the inbox of executions that have ended. The value of a row: the execution.
delete from inbox
where execution_id = any($1::bytea[])

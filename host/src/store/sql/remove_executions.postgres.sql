-- Removes executions of which nothing else is left. The value of a row: the execution.
delete from executions
where id = any($1::bytea[])

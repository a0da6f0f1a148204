-- Removes the dead letters of executions that are removed. The value of a row: the execution.
delete from dead_letters
where execution_id in (values (?))

-- Takes the calls that still count into the next run.
-- $1 the execution, $2 the run.
update tasks
set run = $2
where execution_id = $1

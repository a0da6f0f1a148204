-- Takes the calls that still count into the next run.
-- $1 the execution, $2 its run until now, $3 the next.
update tasks
set run = $3
where execution_id = $1
  and run = $2

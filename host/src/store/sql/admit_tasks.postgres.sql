-- Notes that claimed tasks with a limit begin: they have begun in time.
-- $1 an array: the task.
update tasks
set schedule_by = null
where id = any($1::bytea[])
  and schedule_by is not null

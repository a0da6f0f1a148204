-- Notes that claimed tasks with a limit begin: they have begun in time.
-- The value of a row: the task.
update tasks
set schedule_by = null
where id in (values (?))
  and schedule_by is not null

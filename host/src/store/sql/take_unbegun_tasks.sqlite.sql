-- Takes the tasks that nobody has begun in time.
-- $1 now, $2 how many at most.
delete from tasks
where id in (
  select id
  from tasks
  where owner is null
    and schedule_by is not null
    and schedule_by <= $1
  order by schedule_by
  limit $2
)
returning execution_id, run, promise, step, step_limit, key_limit

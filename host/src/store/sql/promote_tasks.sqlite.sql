-- Makes ready the tasks that are due.
-- $1 now, $2 how many at most.
update tasks
set ready = 1
where id in (
  select id
  from tasks
  where ready = 0
    and owner is null
    and visible_at <= $1
  order by visible_at
  limit $2
)

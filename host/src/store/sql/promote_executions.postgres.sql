-- Makes ready the executions that wait without an owner and are due. What another host is at is left to it.
-- $1 now, $2 how many at most.
update executions
set ready = 1
where id = any(array(
  select id
  from executions
  where ready = 0
    and owner is null
    and paused_at is null
    and visible_at is not null
    and visible_at <= $1
  order by visible_at
  limit $2
  for update skip locked
))

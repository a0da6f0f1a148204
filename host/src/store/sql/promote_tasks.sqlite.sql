-- Makes ready the tasks that are due; those with a limit wait for that from now on.
-- $1 now, $2 how many at most.
update tasks
set
  ready = case when coalesce(key_limit, step_limit) is null then 1 else 0 end,
  blocked_on = coalesce(key_limit, step_limit),
  visible_at = case when coalesce(key_limit, step_limit) is null then visible_at else 9223372036854775807 end
where id in (
  select id
  from tasks
  where ready = 0
    and owner is null
    and visible_at <= $1
  order by visible_at
  limit $2
)
returning blocked_on

-- Makes the first of those who follow a result its leader; one with a limit waits for that.
-- $1 the key, $2 now.
update tasks
set
  result_key = follows,
  follows = null,
  ready = case when coalesce(key_limit, step_limit) is null then 1 else 0 end,
  blocked_on = coalesce(key_limit, step_limit),
  visible_at = case when coalesce(key_limit, step_limit) is null then $2 else 9223372036854775807 end
where id = (
  select id
  from tasks
  where follows = $1
  order by follows, id
  limit 1
)
returning id, step_limit, key_limit

-- Makes the first of those who follow a result its leader. What another host is at is left to it.
-- $1 the key, $2 now.
update tasks
set
  result_key = follows,
  follows = null,
  ready = 1,
  visible_at = $2
where id = (
  select id
  from tasks
  where follows = $1
  order by follows, id
  limit 1
  for update skip locked
)
returning id

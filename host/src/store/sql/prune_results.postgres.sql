-- Removes results that answer no call any more. What another host is at is left to it.
-- $1 now, $2 how many at most.
delete from results
where key = any(array(
  select key
  from results
  where expires_at is not null
    and expires_at <= $1
    and awaited = 0
    and state <> 'running'
  order by expires_at
  limit $2
  for update skip locked
))

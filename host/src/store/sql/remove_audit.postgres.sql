-- Removes old entries of the audit log, the oldest first. What another host is at is left to it.
-- $1 before when they must have been made, $2 how many at most.
delete from audit
where id in (
  select id
  from audit
  where at < $1
  order by at, id
  limit $2
  for update skip locked
)

-- Removes old entries of the audit log, the oldest first.
-- $1 before when they must have been made, $2 how many at most.
delete from audit
where id in (
  select id
  from audit
  where at < $1
  order by at, id
  limit $2
)

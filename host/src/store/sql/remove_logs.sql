-- Removes old lines from the front of the log, which is as good as in the order of time.
-- $1 before when they must have been said, $2 how many at most.
delete from logs
where id in (
  select id
  from (
    select id, at
    from logs
    order by id
    limit $2
  ) as first
  where at < $1
)

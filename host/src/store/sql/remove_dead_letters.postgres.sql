-- Removes old dead letters, the oldest first. What another host is at is left to it.
-- $1 before when they must have been made, $2 how many at most.
delete from dead_letters
where id in (
  select id
  from dead_letters
  where created_at < $1
  order by created_at, id
  limit $2
  for update skip locked
)

-- Removes old dead letters, the oldest first.
-- $1 before when they must have been made, $2 how many at most.
delete from dead_letters
where id in (
  select id
  from dead_letters
  where created_at < $1
  order by created_at, id
  limit $2
)

-- Says of tasks which result they lead or follow. Nobody claims one that follows, and it is never due.
-- $1 and on, an array each: id, the key that it leads, the key that it follows.
update tasks
set
  result_key = enrolled.leads,
  follows = enrolled.follows,
  ready = case when enrolled.follows is null then ready else 0 end,
  visible_at = case when enrolled.follows is null then visible_at else 9223372036854775807 end
from unnest($1::bytea[], $2::bytea[], $3::bytea[]) as enrolled (id, leads, follows)
where tasks.id = enrolled.id

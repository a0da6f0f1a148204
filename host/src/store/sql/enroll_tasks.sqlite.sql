-- Says of tasks which result they lead or follow. Nobody claims one that follows, and it is never due.
-- The values of a row: id, the key that it leads, the key that it follows.
with enrolled (id, leads, follows) as (
  values (?, ?, ?)
)
update tasks
set
  result_key = enrolled.leads,
  follows = enrolled.follows,
  ready = case when enrolled.follows is null then ready else 0 end,
  visible_at = case when enrolled.follows is null then visible_at else 9223372036854775807 end
from enrolled
where tasks.id = enrolled.id

-- Children in the order of their starts.
-- $1 the parent, $2 how many at most.
select id
from executions
where parent_id = $1
order by created_at, id
limit $2

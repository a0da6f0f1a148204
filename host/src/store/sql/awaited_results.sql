-- Results whose followers have to be told of something: they ended, or lost their leader.
-- $1 how many at most.
select key, task_id, state
from results
where awaited = 1
  and state <> 'running'
order by key
limit $1

-- Tasks that wait for a result which is there by now, or has failed.
-- $1 how many at most.
select tasks.id, tasks.execution_id
from results
join tasks on tasks.follows = results.key
where results.awaited = 1
  and results.state <> 'running'
  and results.state in ('completed', 'failed')
order by results.key, tasks.id
limit $1

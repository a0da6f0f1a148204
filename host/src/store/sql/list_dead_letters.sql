-- Dead letters, newest first.
-- $1 of which execution (null for all), $2 only ids below this one (null for all), $3 how many at most.
select dead_letters.id, dead_letters.execution_id, dead_letters.run, executions.workflow, dead_letters.promise,
  dead_letters.step, dead_letters.attempts, dead_letters.failure, dead_letters.created_at
from dead_letters
join executions on executions.id = dead_letters.execution_id
where (dead_letters.execution_id = $1 or $1 is null)
  and (dead_letters.id < $2 or $2 is null)
order by dead_letters.id desc
limit $3

-- How many dead letters there are of each step, most first.
-- $1 of which execution, $2 of which workflow, $3 of which step, $4 from which queue, $5 of which kind of failure, $6 since
-- when, $7 until when; each null for all; $8 how many steps at most.
select executions.workflow, dead_letters.step, count(*), min(dead_letters.created_at), max(dead_letters.created_at)
from dead_letters
join executions on executions.id = dead_letters.execution_id
where (dead_letters.execution_id = $1 or $1 is null)
  and (executions.workflow = $2 or $2 is null)
  and (dead_letters.step = $3 or $3 is null)
  and (dead_letters.queue = $4 or $4 is null)
  and (dead_letters.failure_kind = $5 or $5 is null)
  and (dead_letters.created_at >= $6 or $6 is null)
  and (dead_letters.created_at < $7 or $7 is null)
group by executions.workflow, dead_letters.step
order by count(*) desc, executions.workflow, dead_letters.step
limit $8

-- Dead letters, newest first.
-- $1 of which execution, $2 of which workflow, $3 of which step, $4 from which queue, $5 of which kind of failure, $6 since
-- when, $7 until when; each null for all; $8 only ids below this one, $9 how many at most.
select dead_letters.id, dead_letters.execution_id, dead_letters.run, executions.workflow, dead_letters.promise,
  dead_letters.step, dead_letters.queue, dead_letters.attempts, dead_letters.failure, dead_letters.created_at,
  dead_letters.input_seq, dead_letters.input_index
from dead_letters
join executions on executions.id = dead_letters.execution_id
where (dead_letters.execution_id = $1 or $1 is null)
  and (executions.workflow = $2 or $2 is null)
  and (dead_letters.step = $3 or $3 is null)
  and (dead_letters.queue = $4 or $4 is null)
  and (dead_letters.failure_kind = $5 or $5 is null)
  and (dead_letters.created_at >= $6 or $6 is null)
  and (dead_letters.created_at < $7 or $7 is null)
  and dead_letters.id < $8
order by dead_letters.id desc
limit $9

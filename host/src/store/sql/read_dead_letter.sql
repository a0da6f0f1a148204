-- A dead letter.
-- $1 its id.
select dead_letters.id, dead_letters.execution_id, dead_letters.run, executions.workflow, dead_letters.promise,
  dead_letters.step, dead_letters.queue, dead_letters.attempts, dead_letters.failure, dead_letters.created_at,
  dead_letters.input_seq, dead_letters.input_index
from dead_letters
join executions on executions.id = dead_letters.execution_id
where dead_letters.id = $1

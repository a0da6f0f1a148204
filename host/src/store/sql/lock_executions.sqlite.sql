-- Reads what the changes of a transaction depend on, and keeps everybody else from changing it, in the order of the
-- ids. The value of a row: the id.
select
  id, owner, state, run, paused_at, ready, visible_at, inbox_seq, expires_at, base, completed_at,
  failure_kind, failure, queue, losses,
  (
    exists (select 1 from tasks where tasks.execution_id = executions.id and tasks.step_limit is not null)
    or exists (select 1 from tasks where tasks.execution_id = executions.id and tasks.key_limit is not null)
  ) as limited
from executions
where id in (values (?))
order by id

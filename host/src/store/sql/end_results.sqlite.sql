-- Keeps what leaders have brought; a failure only until those who wait now have heard of it.
-- The values of a row: key, task_id, state, outcome_head, outcome_data, now.
with brought (key, task_id, state, outcome_head, outcome_data, at) as (
  values (?, ?, ?, ?, ?, ?)
)
update results
set
  state = brought.state,
  outcome_head = brought.outcome_head,
  outcome_data = brought.outcome_data,
  expires_at = case when brought.state = 'failed' then brought.at else brought.at + results.keep_micros end
from brought
where results.key = brought.key
  and results.task_id = brought.task_id
  and results.state in ('running', 'vacant')

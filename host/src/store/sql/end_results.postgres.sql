-- Keeps what leaders have brought; a failure only until those who wait now have heard of it.
-- $1 and on, an array each: key, task_id, state, outcome_head, outcome_data, now.
update results
set
  state = brought.state,
  outcome_head = brought.outcome_head,
  outcome_data = brought.outcome_data,
  expires_at = case when brought.state = 'failed' then brought.at else brought.at + results.keep_micros end
from unnest(
  $1::bytea[], $2::bytea[], $3::text[], $4::bytea[], $5::bytea[], $6::bigint[]
) as brought (key, task_id, state, outcome_head, outcome_data, at)
where results.key = brought.key
  and results.task_id = brought.task_id
  and results.state in ('running', 'vacant')

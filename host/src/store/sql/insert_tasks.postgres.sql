-- Adds calls that wait in a queue, or that their owner runs already.
-- $1 and on, an array each: id, execution_id, run, promise, step, input_seq, input_index, queue, tags, priority, rank,
-- ready, visible_at, attempt, losses, owner, timeout_micros, schedule_by, retry, last_failure, heartbeat, created_at,
-- started_at, step_limit, key_limit, blocked_on.
insert into tasks (
  id, execution_id, run, promise, step, input_seq, input_index, queue, tags, priority, rank, ready,
  visible_at, attempt, losses, owner, timeout_micros, schedule_by, retry, last_failure, heartbeat, created_at,
  started_at, step_limit, key_limit, blocked_on
)
select *
from unnest(
  $1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::text[],
  $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
  $16::bytea[], $17::bigint[], $18::bigint[], $19::text[], $20::text[], $21::text[], $22::bigint[],
  $23::bigint[], $24::text[], $25::text[], $26::text[]
)

-- Keeps steps whose attempts ran out.
-- $1 and on, an array each: execution_id, run, promise, step, input_seq, input_index, attempts, failure, created_at,
-- queue, failure_kind.
insert into dead_letters (
  execution_id, run, promise, step, input_seq, input_index, attempts, failure, created_at,
  queue, failure_kind
)
select *
from unnest(
  $1::bytea[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[],
  $9::bigint[], $10::text[], $11::text[]
)

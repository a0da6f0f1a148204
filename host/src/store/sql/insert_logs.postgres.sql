-- Adds lines to logs. A line of progress has no level.
-- $1 and on, an array each: execution_id, run, step, promise, attempt, at, level, message, fields, attempt_began_at.
insert into logs (
  execution_id, run, step, promise, attempt, at, level, message, fields, attempt_began_at
)
select *
from unnest(
  $1::bytea[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[],
  $9::text[], $10::bigint[]
)

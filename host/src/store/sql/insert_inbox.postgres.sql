-- Adds arrivals to inboxes; the same transaction raises `inbox_seq`.
-- $1 and on, an array each: execution_id, run, kind, promise, name, head, data, created_at.
insert into inbox (
  execution_id, run, kind, promise, name, head, data, created_at
)
select *
from unnest(
  $1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bytea[], $7::bytea[], $8::bigint[]
)

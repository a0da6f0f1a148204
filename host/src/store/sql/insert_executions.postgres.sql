-- Gives birth to executions. Those whose id exists already are left as they are and not given back.
-- $1 and on, an array each: id, run, module_digest, workflow, state, queue, tags, priority, parent_id, parent_run,
-- parent_promise, parent_detached, owner, ready, visible_at, rank, inbox_seq, base, losses, lost_at_seq,
-- journal_version, created_at, started_at, expires_at, max_duration, input_hash, traceparent.
insert into executions (
  id, run, module_digest, workflow, state, queue, tags, priority, parent_id, parent_run, parent_promise,
  parent_detached, owner, ready, visible_at, rank, inbox_seq, base, losses, lost_at_seq, journal_version,
  created_at, started_at, expires_at, max_duration, input_hash, traceparent
)
select *
from unnest(
  $1::bytea[], $2::bigint[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
  $9::bytea[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bytea[], $14::bigint[], $15::bigint[],
  $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[],
  $23::bigint[], $24::bigint[], $25::bigint[], $26::bytea[], $27::text[]
)
on conflict (id) do nothing
returning id

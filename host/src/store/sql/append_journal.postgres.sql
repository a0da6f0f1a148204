-- Appends entries to journals. A key that is there already belongs to another writer: the second wall of rule 1.
-- $1 and on, an array each: execution_id, seq, run, kind, promise, name, head, data, recorded_at.
insert into journal (
  execution_id, seq, run, kind, promise, name, head, data, recorded_at
)
select *
from unnest(
  $1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bytea[], $8::bytea[],
  $9::bigint[]
)

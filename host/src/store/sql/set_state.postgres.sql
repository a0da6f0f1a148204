-- Sets what people can read of an execution; each key comes once.
-- $1 and on, an array each: execution_id, key, value.
insert into state (
  execution_id, key, value
)
select *
from unnest(
  $1::bytea[], $2::text[], $3::text[]
)
on conflict (execution_id, key) do update
set value = excluded.value

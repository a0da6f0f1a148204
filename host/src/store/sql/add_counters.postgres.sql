-- Adds to counters; each counter comes once.
-- $1 and on, an array each: execution_id, name, value.
insert into counters (
  execution_id, name, value
)
select *
from unnest(
  $1::bytea[], $2::text[], $3::bigint[]
)
on conflict (execution_id, name) do update
set value = counters.value + excluded.value

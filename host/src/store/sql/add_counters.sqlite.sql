-- Adds to counters; each counter comes once.
-- The values of a row: execution_id, name, value.
insert into counters (
  execution_id, name, value
)
values (?, ?, ?)
on conflict (execution_id, name) do update
set value = counters.value + excluded.value

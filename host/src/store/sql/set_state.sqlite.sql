-- Sets what people can read of an execution; each key comes once.
-- The values of a row: execution_id, key, value.
insert into state (
  execution_id, key, value
)
values (?, ?, ?)
on conflict (execution_id, key) do update
set value = excluded.value

-- Removes limits whose rows are locked, unless something had come to refer to them before they were.
-- $1 an array: the name.
delete from limits
where name = any($1::text[])
  and next_at is null
  and not exists (select 1 from tasks where step_limit = limits.name and owner is not null)
  and not exists (select 1 from tasks where key_limit = limits.name and owner is not null)
  and not exists (select 1 from tasks where step_limit = limits.name and owner is null)
  and not exists (select 1 from tasks where key_limit = limits.name and owner is null)
  and not exists (select 1 from stopping_tasks where step_limit = limits.name)
  and not exists (select 1 from stopping_tasks where key_limit = limits.name)

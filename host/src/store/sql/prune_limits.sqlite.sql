-- Removes limits, unless something refers to them.
-- The value of a row: the name.
delete from limits
where name in (values (?))
  and next_at is null
  and not exists (select 1 from tasks where step_limit = limits.name and owner is not null)
  and not exists (select 1 from tasks where key_limit = limits.name and owner is not null)
  and not exists (select 1 from tasks where step_limit = limits.name and owner is null)
  and not exists (select 1 from tasks where key_limit = limits.name and owner is null)
  and not exists (select 1 from stopping_tasks where step_limit = limits.name)
  and not exists (select 1 from stopping_tasks where key_limit = limits.name)

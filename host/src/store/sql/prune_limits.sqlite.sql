-- Removes limits, unless something refers to them.
-- The value of a row: the name.
delete from limits
where name in (values (?))
  and next_at is null
  and not exists (select 1 from tasks where step_limit = limits.name and owner is not null)
  and not exists (select 1 from tasks where key_limit = limits.name and owner is not null)
  and not exists (select 1 from tasks where step_limit = limits.name and owner is null and blocked_on is null)
  and not exists (select 1 from tasks where key_limit = limits.name and owner is null and blocked_on is null)
  and not exists (select 1 from tasks where key_limit = limits.name and blocked_on = step_limit)
  and not exists (select 1 from tasks where blocked_on = limits.name)

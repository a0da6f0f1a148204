-- Limits as people see them, and how many tasks run under each.
-- The value of a row: the name.
select
  name, step, key, slots, rate, interval_micros, burst, tat,
  (
    select count(*)
    from tasks
    where tasks.step_limit = limits.name
      and tasks.owner is not null
  ) + (
    select count(*)
    from tasks
    where tasks.key_limit = limits.name
      and tasks.owner is not null
  ) + (
    select count(*)
    from stopping_tasks
    where stopping_tasks.step_limit = limits.name
  ) + (
    select count(*)
    from stopping_tasks
    where stopping_tasks.key_limit = limits.name
  ) as running
from limits
where name in (values (?))
order by name

-- Reads limits and keeps everybody else from judging by them, in the order of their names.
-- The value of a row: the name.
select
  name, slots, rate, interval_micros, burst, tat, next_at
from limits
where name in (values (?))
order by name

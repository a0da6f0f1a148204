-- Reads limits and keeps everybody else from judging by them, in the order of their names.
-- $1 an array: the name.
select
  name, slots, rate, interval_micros, burst, tat, next_at
from limits
where name = any($1::text[])
order by name collate "C"
for update

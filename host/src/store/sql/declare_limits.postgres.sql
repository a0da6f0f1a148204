-- Says what limits are now: whoever declared one last is right.
-- $1 and on, an array each: name, step, key, slots, rate, interval_micros, burst.
insert into limits (name, step, key, slots, rate, interval_micros, burst)
select *
from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[])
on conflict (name) do update
set
  step = excluded.step,
  slots = excluded.slots,
  rate = excluded.rate,
  interval_micros = excluded.interval_micros,
  burst = excluded.burst
where limits.slots is distinct from excluded.slots
  or limits.rate is distinct from excluded.rate

-- Says what limits are now: whoever declared one last is right.
-- The values of a row: name, step, key, slots, rate, interval_micros, burst.
insert into limits (name, step, key, slots, rate, interval_micros, burst)
values (?, ?, ?, ?, ?, ?, ?)
on conflict (name) do update
set
  step = excluded.step,
  slots = excluded.slots,
  rate = excluded.rate,
  interval_micros = excluded.interval_micros,
  burst = excluded.burst
where limits.slots is not excluded.slots
  or limits.rate is not excluded.rate

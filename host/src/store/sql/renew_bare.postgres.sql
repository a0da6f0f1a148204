-- Renews a lease after an attempt that failed, and looks for nothing: what is to be found must not keep a host from living.
-- Nothing comes back where the host is dead.
-- $1 the host.
update hosts
set
  lease_ends = (extract(epoch from clock_timestamp()) * 1000000)::bigint + lease_micros,
  steady_since = (extract(epoch from clock_timestamp()) * 1000000)::bigint
where id = $1
  and alive = 1
returning
  (extract(epoch from clock_timestamp()) * 1000000)::bigint as now,
  0 as work,
  0 as arrivals,
  null::bigint as next_due,
  0 as lost,
  1 as hosts,
  null::bigint as next_lease_end,
  steady_since,
  0 as queue_changes,
  0 as stopping,
  0 as followers,
  null::bigint as next_firing

-- Says that the lease is held after an attempt that failed, and looks for nothing. Nothing comes back where the host is dead.
-- $1 the host.
select
  cast(unixepoch('subsec') * 1000000 as integer) as now,
  0 as work,
  0 as arrivals,
  null as next_due,
  0 as lost,
  1 as hosts,
  null as next_lease_end,
  steady_since,
  0 as queue_changes,
  0 as stopping,
  0 as followers,
  null as next_firing
from hosts
where id = $1
  and alive = 1

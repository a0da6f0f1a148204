-- Makes the executions of a host that ends of its own will ready for any other: nothing was lost.
-- $1 the host, $2 now.
update executions
set
  owner = null,
  ready = case when paused_at is null then 1 else 0 end,
  visible_at = $2,
  losses = 0
where owner = $1

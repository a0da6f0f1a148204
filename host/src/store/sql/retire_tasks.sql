-- Makes the tasks of a host that ends of its own will ready for any other: nothing was lost.
-- $1 the host, $2 now.
update tasks
set
  owner = null,
  ready = 1,
  visible_at = $2,
  losses = 0
where owner = $1

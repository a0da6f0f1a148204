-- Makes the executions of a host that ends of its own will ready for any other: nothing was lost. Whoever takes a
-- paused one looks at what has arrived, which may end it by force, and parks it.
-- $1 the host, $2 now.
update executions
set
  owner = null,
  ready = 1,
  visible_at = $2,
  losses = 0
where owner = $1

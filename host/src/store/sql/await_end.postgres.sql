-- Waits until every transaction has ended that has passed the fence of a host. Nothing comes back where the host is dead.
-- $1 the host.
select alive::bigint as alive
from hosts
where id = $1
  and alive = 1
for update

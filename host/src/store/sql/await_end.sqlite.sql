-- Nothing is under way where there is one writer. Nothing comes back where the host is dead.
-- $1 the host.
select alive
from hosts
where id = $1
  and alive = 1

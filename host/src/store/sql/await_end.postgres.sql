-- Waits until every transaction has ended that has passed the fence of a host, and raises its epoch: a commit that is still on
-- its way finds another than it was sent with, and fails. Nothing comes back where the host is dead.
-- $1 the host.
with awaited as (
  select id
  from hosts
  where id = $1
    and alive = 1
  for update
)
update hosts
set epoch = epoch + 1
from awaited
where hosts.id = awaited.id
returning epoch

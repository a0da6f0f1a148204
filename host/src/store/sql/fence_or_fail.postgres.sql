-- The fence for a transaction that is sent in one piece: fails where the host is not alive, so that nothing after it is run.
-- $1 the host.
select 1 / count(*)
from (select 1 from hosts where id = $1 and alive = 1 for key share) as alive

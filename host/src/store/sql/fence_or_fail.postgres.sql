-- The fence for a transaction that is sent in one piece: fails where the host is not alive, or has given up since then what was
-- still on its way, so that nothing else in it is done.
-- $1 the host, $2 its epoch.
select 1 / count(*)
from (select 1 from hosts where id = $1 and alive = 1 and epoch = $2 for key share) as alive

-- The fence for a transaction that is sent in one piece: fails where the host is not alive, or has given up since then what was
-- still on its way, so that nothing after it is run.
-- The values: the host, its epoch.
select abs(-9223372036854775807 - 1 + count(*))
from hosts
where id = ?
  and alive = 1
  and epoch = ?

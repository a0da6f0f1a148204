-- The fence for a transaction that is sent in one piece: fails where the host is not alive, so that nothing after it is run.
-- The value: the host.
select abs(-9223372036854775807 - 1 + count(*))
from hosts
where id = ?
  and alive = 1

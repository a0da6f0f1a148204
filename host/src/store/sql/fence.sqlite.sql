-- The first statement of every writing transaction: gives back the database's clock while the host is alive, else nothing.
-- The value: the host.
select cast(unixepoch('subsec') * 1000000 as integer) as now
from hosts
where id = ?
  and alive = 1

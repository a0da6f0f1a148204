-- The first statement of every writing transaction: gives back the database's clock while the host is alive, else nothing.
-- $1 the host.
select cast(unixepoch('subsec') * 1000000 as integer) as now
from hosts
where id = $1
  and alive = 1

-- The first statement of every writing transaction: gives back the database's clock while the host is alive, else nothing.
-- Whoever declares a host dead waits for this lock, so a commit is wholly before the takeover or does not happen.
-- $1 the host.
select (extract(epoch from clock_timestamp()) * 1000000)::bigint as now
from hosts
where id = $1
  and alive = 1
for key share

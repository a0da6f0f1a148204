-- Declares a host dead.
-- $1 the host.
update hosts
set alive = 0
where id = $1
  and alive = 1

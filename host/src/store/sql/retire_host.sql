-- Marks an incarnation dead that ends of its own will.
-- $1 the host.
update hosts
set alive = 0
where id = $1
  and alive = 1

-- Marks every other incarnation dead, where the one who asks is known to be the only one.
-- $1 the host that lives.
update hosts
set alive = 0
where id <> $1
  and alive = 1

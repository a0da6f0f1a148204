-- Every other incarnation that is not dead yet, where the one who asks is known to be the only one.
-- $1 the host that lives.
select id
from hosts
where id <> $1
  and alive = 1
order by id

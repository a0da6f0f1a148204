-- Leases do not end where there is one host: nothing comes back.
-- $1 who asks, $2 how many at most, $3 how long ago the last renewal of the one who asks may be.
select id, name
from hosts
where id <> $1
  and $3 < 0
order by id
limit $2

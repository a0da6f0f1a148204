-- What was granted to a module, by each of its names.
-- $1 the digest, $2 how many at most.
select names.name, grants.granted, grants.granted_by, grants.granted_at
from (
  select name from modules where digest = $1
  union
  select name from deployments where digest = $1
) as names
left join grants on grants.module = names.name
order by names.name
limit $2

-- The active module of each name, by name.
-- $1 how many at most.
select modules.digest, deployments.name, modules.size, modules.manifest, modules.created_at, deployments.activated_at
from deployments
join modules on modules.digest = deployments.digest
order by deployments.name
limit $1

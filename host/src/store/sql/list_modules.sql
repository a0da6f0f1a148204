-- Modules without their bytes, newest first: by the name that they were uploaded under first, and by each other name under which they
-- are active.
-- $1 how many at most.
select
  modules.digest as digest, modules.name as name, modules.size, modules.manifest, modules.created_at as created_at,
  deployments.activated_at
from modules
left join deployments on deployments.digest = modules.digest and deployments.name = modules.name
union all
select
  modules.digest, deployments.name, modules.size, modules.manifest, modules.created_at,
  deployments.activated_at
from deployments
join modules on modules.digest = deployments.digest and modules.name <> deployments.name
order by created_at desc, digest, name
limit $1

-- Modules without their bytes, newest first.
-- $1 how many at most.
select modules.digest, modules.name, modules.size, modules.manifest, modules.created_at, deployments.activated_at
from modules
left join deployments on deployments.digest = modules.digest and deployments.name = modules.name
order by modules.created_at desc, modules.digest
limit $1

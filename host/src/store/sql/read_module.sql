-- A module without its bytes.
-- $1 the digest.
select modules.digest, modules.name, modules.size, modules.manifest, modules.created_at, deployments.activated_at
from modules
left join deployments on deployments.digest = modules.digest and deployments.name = modules.name
where modules.digest = $1

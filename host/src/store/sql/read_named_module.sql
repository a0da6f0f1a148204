-- A module that was uploaded or deployed under a name, without its bytes.
-- $1 the digest, $2 the name.
select modules.digest, cast($2 as text), modules.size, modules.manifest, modules.created_at, deployments.activated_at
from modules
left join deployments on deployments.digest = modules.digest and deployments.name = $2
where modules.digest = $1
  and (modules.name = $2 or deployments.name is not null)

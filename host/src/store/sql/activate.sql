-- Makes a module the one that new executions of its name are pinned to.
-- $1 the name, $2 the digest, $3 now.
insert into deployments (name, digest, activated_at)
values ($1, $2, $3)
on conflict (name) do update
set digest = excluded.digest,
  activated_at = excluded.activated_at

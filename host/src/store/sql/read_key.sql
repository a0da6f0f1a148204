-- One key.
-- $1 its id.
select id, name, hash, scopes, created_at, last_used_at, revoked_at
from keys
where id = $1

-- Keys, newest first, without those of sessions.
-- $1 how many at most.
select id, name, hash, scopes, created_at, last_used_at, revoked_at
from keys
where id not like 's%'
order by created_at desc, id
limit $1

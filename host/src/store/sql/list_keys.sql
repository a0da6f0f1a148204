-- Keys, those that are good before those that were revoked, each newest first, without those of sessions.
-- $1 how many at most.
select id, name, hash, scopes, created_at, last_used_at, revoked_at
from keys
where id not like 's%'
order by case when revoked_at is null then 0 else 1 end, created_at desc, id
limit $1

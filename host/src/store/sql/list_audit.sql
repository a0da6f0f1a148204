-- The audit log, newest first.
-- $1 before which entry (null for the newest), $2 how many at most.
select id, at, key_id, action, subject, detail
from audit
where cast($1 as bigint) is null or id < $1
order by id desc
limit $2

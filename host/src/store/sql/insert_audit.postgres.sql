-- Adds entries to the audit log.
-- $1 and on, an array each: at, key_id, action, subject, detail.
insert into audit (at, key_id, action, subject, detail)
select *
from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[])

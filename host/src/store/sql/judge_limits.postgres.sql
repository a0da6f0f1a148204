-- Writes back what a transaction has decided about limits that it has locked.
-- $1 and on, an array each: name, tat, next_at.
update limits
set
  tat = judged.tat,
  next_at = judged.next_at
from unnest($1::text[], $2::bigint[], $3::bigint[]) as judged (name, tat, next_at)
where limits.name = judged.name

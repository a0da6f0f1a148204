-- How many kept results answer no call any more.
-- $1 now.
select count(*)
from results
where expires_at is not null
  and expires_at <= $1
  and awaited = 0
  and state <> 'running'

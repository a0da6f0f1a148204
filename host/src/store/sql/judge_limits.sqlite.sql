-- Writes back what a transaction has decided about limits that it has locked.
-- The values of a row: name, tat, next_at.
with judged (name, tat, next_at) as (
  values (?, ?, ?)
)
update limits
set
  tat = judged.tat,
  next_at = judged.next_at
from judged
where limits.name = judged.name

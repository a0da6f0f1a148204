-- Results that are there. The value of a row: the key.
select
  key, outcome_head, outcome_data, expires_at
from results
where key in (values (?))
  and state = 'completed'

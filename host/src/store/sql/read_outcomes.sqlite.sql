-- What was last brought for keys, whatever has become of them since. The value of a row: the key.
select
  key, outcome_head, outcome_data
from results
where key in (values (?))

-- The keys under which something may be sealed. An operator has a handful.
select id, proof
from sealing_keys
order by id
limit 1000

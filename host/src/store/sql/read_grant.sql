-- What was granted to the modules of a name.
-- $1 the name.
select granted, granted_by, granted_at
from grants
where module = $1

-- Everything a workflow needs: limits across the cluster, results that answer later calls, schedules, what a module was
-- granted, retention. Each section below is of one of them.


-- Grants: what an operator granted to the modules of a name, as the JSON of a manifest's capabilities; who and when.

create table grants (
  module text not null primary key,
  granted text not null,
  granted_by text not null,
  granted_at integer not null
) strict;

-- Work that its hosts were lost under is claimed apart from the rest, and there is hardly ever any of it: these indexes find it
-- without passing by what else is ready.

create index executions_claim_suspect on executions (losses, rank) where ready = 1 and losses > 0;
create index tasks_claim_suspect on tasks (losses, rank) where ready = 1 and losses > 0;

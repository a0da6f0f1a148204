-- There are no sessions but the host's own.
-- $1 who asks.
select 0 where $1 is not null

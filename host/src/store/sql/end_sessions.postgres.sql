-- Ends what hosts whose lease has ended still have under way, because it stands in the way of declaring them dead. Says how
-- many sessions were ended.
-- $1 who asks.
select count(*) filter (where pg_terminate_backend(pid))
from pg_stat_activity
where datname = current_database()
  and pid <> pg_backend_pid()
  and state <> 'idle'
  and application_name in (
    select session
    from hosts
    where alive = 1
      and id <> $1
      and lease_ends is not null
      and lease_ends < (extract(epoch from clock_timestamp()) * 1000000)::bigint
      and session <> (select mine.session from hosts as mine where mine.id = $1)
  )

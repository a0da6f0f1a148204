-- Has a database write down, where no host looks, over which session each entry of a journal came, who owned the execution
-- when its statement began, and whether that one was alive when it had ended; and when each host died.
create schema trace;

create table trace.entries (
  execution_id bytea not null,
  seq bigint not null,
  kind bigint not null,
  session text not null,
  owner bytea,
  owner_session text,
  owner_alive bigint,
  at timestamptz not null
);

create table trace.deaths (id bytea not null, session text not null, told_by text not null, at timestamptz not null);

alter table journal add column traced_owner bytea;

-- Being stable, it sees the rows as they were before the statement, which may give up the execution with the same words.
create function trace.owner() returns trigger language plpgsql stable as $$
begin
  new.traced_owner := (select owner from executions where id = new.execution_id);
  return new;
end
$$;

create function trace.entry() returns trigger language plpgsql as $$
begin
  insert into trace.entries
  select
    new.execution_id, new.seq, new.kind, current_setting('application_name'), new.traced_owner, hosts.session,
    hosts.alive, clock_timestamp()
  from (select 1) as once
  left join hosts on hosts.id = new.traced_owner;
  return null;
end
$$;

create function trace.death() returns trigger language plpgsql as $$
begin
  insert into trace.deaths values (new.id, new.session, current_setting('application_name'), clock_timestamp());
  return null;
end
$$;

create trigger trace_owner before insert on journal for each row execute function trace.owner();
create trigger trace_entry after insert on journal for each row execute function trace.entry();
create trigger trace_death after update on hosts for each row when (old.alive = 1 and new.alive = 0)
  execute function trace.death();

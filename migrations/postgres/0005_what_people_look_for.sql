-- What people look for: executions by what they are of, where they are and how they ended, and all of them as they come and go.

create index executions_list_workflow on executions (workflow, created_at, id);
create index executions_list_queue on executions (queue, created_at, id);
create index executions_list_module on executions (module_digest, created_at, id);
create index executions_list_failure on executions (failure_kind, created_at, id) where failure_kind is not null;

-- Tags are a list in their row; here each of them can be looked up. Triggers keep it, so that no statement can forget it and the
-- binary before need not know.

create table execution_tags (
  tag text not null,
  created_at bigint not null,
  execution_id bytea not null,
  primary key (tag, created_at, execution_id)
);

insert into execution_tags (tag, created_at, execution_id)
select distinct tag.value, executions.created_at, executions.id
from executions
cross join lateral jsonb_array_elements_text(executions.tags::jsonb) as tag (value)
where executions.tags is not null;

create function list_tags() returns trigger language plpgsql as $$
begin
  insert into execution_tags (tag, created_at, execution_id)
  select distinct tag.value, new.created_at, new.id
  from jsonb_array_elements_text(new.tags::jsonb) as tag (value);
  return null;
end
$$;

create trigger executions_list_tags
  after insert on executions
  for each row
  when (new.tags is not null)
  execute function list_tags();

create function unlist_tags() returns trigger language plpgsql as $$
begin
  delete from execution_tags
  using jsonb_array_elements_text(old.tags::jsonb) as tag (value)
  where execution_tags.tag = tag.value
    and execution_tags.created_at = old.created_at
    and execution_tags.execution_id = old.id;
  return null;
end
$$;

create trigger executions_unlist_tags
  after delete on executions
  for each row
  when (old.tags is not null)
  execute function unlist_tags();

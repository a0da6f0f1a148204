-- The two roles of a cluster, so that what runs day and night can change rows and nothing else.
--
--   owner    owns the tables: `stepwell migrate` logs in as it, now and then
--   worker   the hosts log in as it: it reads, inserts, updates and deletes rows of the tables that the owner has made or will
--            make, and can neither make, change, drop nor truncate one. A host may end the connections of another that it
--            declares dead: all hosts share the role, so that needs no grant.
--
-- Run it on a database that is Stepwell's alone, before the first migration, as a superuser, or as the owner of that database
-- who may make roles:
--
--   psql -d stepwell -v owner_password=... -v worker_password=... -f deploy/postgres/roles.sql
--
-- Each variable may be left out:
--
--   owner, worker                     names of the roles (stepwell_owner, stepwell_host)
--   schema                            where the tables are (public); made where it is missing
--   owner_password, worker_password   without one a role keeps the password it has. A password on a command line can be seen by
--                                     others on that machine, and in the log of a server that logs statements;
--                                     `\password stepwell_host` in psql shows it to nobody.
--
-- It may be run again at any time, also on a database that has been migrated. All of it happens or nothing.

\set ON_ERROR_STOP on
\if :{?owner}
\else
  \set owner stepwell_owner
\endif
\if :{?worker}
\else
  \set worker stepwell_host
\endif
\if :{?schema}
\else
  \set schema public
\endif

begin;
-- A second run has nothing to say.
set local client_min_messages = warning;

select format('create role %I', name)
from unnest(array[:'owner', :'worker']) as role (name)
where not exists (select from pg_roles where rolname = name) \gexec

alter role :"owner" login;
alter role :"worker" login;
\if :{?owner_password}
alter role :"owner" password :'owner_password';
\endif
\if :{?worker_password}
alter role :"worker" password :'worker_password';
\endif

-- Default privileges are changed in the name of the owner; a superuser may do so anyway.
select format('grant %I to %I', :'owner', current_user)
where not pg_has_role(current_user, :'owner', 'usage') \gexec

-- By default anybody who can log in may connect and make temporary tables.
revoke all on database :"DBNAME" from public, :"worker";
grant connect on database :"DBNAME" to :"owner", :"worker";

create schema if not exists :"schema";
revoke create on schema :"schema" from public;
revoke all on schema :"schema" from :"worker";
grant usage, create on schema :"schema" to :"owner";
grant usage on schema :"schema" to :"worker";
-- Statements name tables without a schema.
alter role :"owner" in database :"DBNAME" set search_path = :"schema";
alter role :"worker" in database :"DBNAME" set search_path = :"schema";

-- What no grant can mend is said, not passed over.
select set_config('stepwell.owner', :'owner', true), set_config('stepwell.worker', :'worker', true),
  set_config('stepwell.schema', :'schema', true) \g /dev/null
do $$
declare
  owner_name constant text := current_setting('stepwell.owner');
  worker_name constant text := current_setting('stepwell.worker');
  schema_name constant text := current_setting('stepwell.schema');
  found_name text;
begin
  select rolname into found_name
  from pg_roles
  where rolname in (owner_name, worker_name)
    and (rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls)
  order by rolname
  limit 1;
  if found then
    raise exception '% may do more than log in: see \du, and take it away', found_name;
  end if;
  if pg_has_role(worker_name, owner_name, 'member') then
    raise exception '% is a member of %, so it may do all that the owner may: revoke that', worker_name, owner_name;
  end if;
  if has_schema_privilege(worker_name, schema_name, 'create') then
    raise exception '% may still make tables in schema %', worker_name, schema_name;
  end if;
  select relname into found_name
  from pg_class
  where relnamespace = to_regnamespace(quote_ident(schema_name))
    and relkind in ('r', 'p')
    and relowner <> to_regrole(quote_ident(owner_name))
    and not exists (
      select from pg_depend
      where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e'
    )
  order by relname
  limit 1;
  if found then
    raise exception 'table %.% was not made by %: alter table %.% owner to %',
      schema_name, found_name, owner_name, schema_name, found_name, owner_name;
  end if;
end
$$;

-- The tables that are there, and those of later migrations. In the name of the owner, who alone can grant them.
set local role :"owner";
select format('revoke all on %s from %I', oid::regclass, :'worker'),
  format('grant %s on %s to %I',
    case relkind when 'S' then 'usage' else 'select, insert, update, delete' end, oid::regclass, :'worker')
from pg_class
where relnamespace = to_regnamespace(quote_ident(:'schema'))
  and relkind in ('r', 'p', 'S')
  and relowner = to_regrole(quote_ident(:'owner'))
order by relname \gexec
alter default privileges in schema :"schema" revoke all on tables from :"worker";
alter default privileges in schema :"schema" revoke all on sequences from :"worker";
alter default privileges in schema :"schema" grant select, insert, update, delete on tables to :"worker";
alter default privileges in schema :"schema" grant usage on sequences to :"worker";
reset role;
commit;

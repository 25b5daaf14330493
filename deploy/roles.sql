-- Two roles for a database of Winnow: one owns the tables and migrates, one runs the processes.
--
--   psql -d winnow -f deploy/roles.sql
--   psql -d winnow -c '\password winnow_owner' -c '\password winnow_app'
--
-- Run it in Winnow's database as a superuser, before the first start or on tables that are there.
-- It may run again. Then migrate as winnow_owner with MIGRATE=only, and start the processes as
-- winnow_app with MIGRATE=off.

do $$
declare
  part record;
begin
  if not exists (select from pg_roles where rolname = 'winnow_owner') then
    create role winnow_owner login;
  end if;
  if not exists (select from pg_roles where rolname = 'winnow_app') then
    create role winnow_app login;
  end if;

  execute format('grant connect, create on database %I to winnow_owner', current_database());
  execute format('grant connect on database %I to winnow_app', current_database());

  -- The list of migrations lies in a schema of its own.
  create schema if not exists drizzle;

  -- What another role has made is the owner's from now on.
  for part in
    select format('alter %s %I.%I owner to winnow_owner',
                  case c.relkind when 'S' then 'sequence' else 'table' end, n.nspname, c.relname) as change
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'drizzle') and c.relkind in ('r', 'p', 'S')
      -- The sequence of a column follows its table.
      and not exists (select from pg_depend d
                      where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i'))
      and c.relowner <> 'winnow_owner'::regrole
    union all
    select format('alter type %I.%I owner to winnow_owner', n.nspname, t.typname)
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where n.nspname = 'public' and t.typtype in ('e', 'd') and t.typowner <> 'winnow_owner'::regrole
  loop
    execute part.change;
  end loop;
end
$$;

alter schema drizzle owner to winnow_owner;
grant usage, create on schema public to winnow_owner;

-- The processes read and write rows, and change no table.
grant usage on schema public, drizzle to winnow_app;
grant select on all tables in schema drizzle to winnow_app;
grant select, insert, update, delete on all tables in schema public to winnow_app;
grant usage on all sequences in schema public to winnow_app;

-- The same on what later migrations make.
alter default privileges for role winnow_owner in schema drizzle
  grant select on tables to winnow_app;
alter default privileges for role winnow_owner in schema public
  grant select, insert, update, delete on tables to winnow_app;
alter default privileges for role winnow_owner in schema public
  grant usage on sequences to winnow_app;

-- Through a pooler (LISTEN=off, DATABASE_URL_DIRECT) no connection asks for these itself.
alter role winnow_app set statement_timeout = '60s';
alter role winnow_app set idle_in_transaction_session_timeout = '15s';

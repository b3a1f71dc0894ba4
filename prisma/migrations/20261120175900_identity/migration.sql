-- Which database this is: a restored dump, a clone and a server that took over all differ in one part at least.
-- Null where this role may not know, or the server is not one that writes.
create function packline.fingerprint() returns text
language plpgsql volatile as $$
begin
  return (select s.system_identifier from pg_control_system() s)
    || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
    || '/' || (select d.oid from pg_database d where d.datname = current_database());
exception when insufficient_privilege then
  return null;
end
$$;

-- Whether calls may be made: the database is the one that is remembered, and nothing has put it under doubt.
create function packline.may_send() returns boolean
language sql volatile as $$
  select not exists (select 1 from packline.installation h where h.key = 'held')
    and coalesce((select i.value->>'fingerprint' = packline.fingerprint() from packline.installation i where i.key = 'identity'), true)
$$;

-- Whether a submit that comes in now is looked for before it is sent: for some time after a recovery, shops send
-- again what the database has forgotten and the provider has not.
create function packline.looks_first(lookable boolean) returns boolean
language sql volatile as $$
  select lookable and exists (
    select 1 from packline.installation l where l.key = 'look_first' and (l.value->>'until')::timestamptz > now())
$$;

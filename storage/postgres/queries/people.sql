-- name: Orgs :many
select org_id, name, timezone, lang from orgs order by org_id;

-- name: OrgOf :one
select o.org_id, o.name, o.timezone, o.lang
from installations i join orgs o on o.org_id = i.org_id
where i.platform = @platform and i.tenant = @tenant;

-- name: CreateOrg :exec
insert into orgs (org_id, name, timezone, lang, created_at) values (@org_id, @name, @timezone, @lang, now());

-- name: BindTenant :exec
insert into installations (org_id, platform, tenant) values (@org_id, @platform, @tenant)
on conflict (org_id, platform, tenant) do nothing;

-- In the arrays Go's zero values stand for NULL: '0001-01-01' for a date, the nil UUID for a person.

-- name: SavePeople :exec
insert into people as known (org_id, person_id, employee_no, name, name_en, email, mobile, department, manager_id, title, role,
  hired_on, timezone, lang, active, settings, directory_version)
select @org_id, t.person_id, t.employee_no, t.name, t.name_en, t.email, t.mobile, t.department,
  nullif(t.manager_id, '00000000-0000-0000-0000-000000000000'), t.title, t.role, nullif(t.hired_on, '0001-01-01'),
  t.timezone, t.lang, t.active, t.settings::jsonb, o.directory_version
from (select unnest(@person_ids::uuid[]) as person_id, unnest(@employee_nos::text[]) as employee_no, unnest(@names::text[]) as name,
    unnest(@names_en::text[]) as name_en, unnest(@emails::text[]) as email, unnest(@mobiles::text[]) as mobile,
    unnest(@departments::text[]) as department,
    unnest(@manager_ids::uuid[]) as manager_id, unnest(@titles::text[]) as title, unnest(@roles::text[]) as role,
    unnest(@hired_on::date[]) as hired_on, unnest(@timezones::text[]) as timezone, unnest(@langs::text[]) as lang,
    unnest(@active::boolean[]) as active, unnest(@settings::text[]) as settings) t
  join orgs o on o.org_id = @org_id
on conflict (org_id, person_id) do update set employee_no = excluded.employee_no, name = excluded.name, name_en = excluded.name_en,
  email = excluded.email, mobile = excluded.mobile, department = excluded.department, manager_id = excluded.manager_id, title = excluded.title,
  role = excluded.role, hired_on = excluded.hired_on, timezone = excluded.timezone, lang = excluded.lang, active = excluded.active,
  directory_version = excluded.directory_version;

-- name: SaveIdentities :exec
insert into identities (org_id, platform, external_id, person_id, state, matched_by, kind, name, email, mobile, employee_no, timezone, lang,
  directory_version)
select @org_id, t.platform, t.external_id, nullif(t.person_id, '00000000-0000-0000-0000-000000000000'), t.state, t.matched_by, t.kind, t.name,
  t.email, t.mobile, t.employee_no, t.timezone, t.lang, o.directory_version
from (select unnest(@platforms::text[]) as platform, unnest(@external_ids::text[]) as external_id, unnest(@person_ids::uuid[]) as person_id,
    unnest(@states::text[]) as state, unnest(@reasons::text[]) as matched_by, unnest(@kinds::text[]) as kind, unnest(@names::text[]) as name,
    unnest(@emails::text[]) as email, unnest(@mobiles::text[]) as mobile, unnest(@employee_nos::text[]) as employee_no,
    unnest(@timezones::text[]) as timezone, unnest(@langs::text[]) as lang) t
  join orgs o on o.org_id = @org_id
on conflict (org_id, platform, external_id) do update set person_id = excluded.person_id, state = excluded.state, matched_by = excluded.matched_by,
  kind = excluded.kind, name = excluded.name, email = excluded.email, mobile = excluded.mobile, employee_no = excluded.employee_no,
  timezone = excluded.timezone, lang = excluded.lang, directory_version = excluded.directory_version;

-- name: SaveSettings :one
update people p set settings = @settings::jsonb, directory_version = o.directory_version
from orgs o
where p.org_id = @org_id and p.person_id = @person_id and o.org_id = p.org_id
returning p.person_id;

-- name: SaveLastUsed :exec
insert into last_used as known (org_id, person_id, platform, used_at) values (@org_id, @person_id, @platform, @used_at)
on conflict (org_id, person_id) do update set platform = excluded.platform, used_at = excluded.used_at where known.used_at <= excluded.used_at;

-- name: Following :one
select * from directory_follows where org_id = @org_id;

-- name: SaveFollowing :exec
insert into directory_follows (org_id, platform, since, tried_at, refused, amount)
values (@org_id, @platform, @since, nullif(@tried_at::timestamptz, '0001-01-01 00:00:00+00'), @refused, @amount)
on conflict (org_id) do update set platform = excluded.platform, since = excluded.since, tried_at = excluded.tried_at, refused = excluded.refused,
  amount = excluded.amount;

-- name: TryFollowing :exec
update directory_follows set tried_at = nullif(@tried_at::timestamptz, '0001-01-01 00:00:00+00'), refused = @refused, amount = @amount where org_id = @org_id and platform = @platform;

-- name: StopFollowing :exec
delete from directory_follows where org_id = @org_id;

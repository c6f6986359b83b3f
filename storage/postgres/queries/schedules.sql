-- name: EnsureSchedule :exec
insert into schedules (org_id, name, rule, zone, next_at) values (@org_id, @name, @rule, @zone, @next_at)
on conflict (org_id, name) do nothing;

-- name: DueSchedules :many
select * from schedules where next_at <= @now::timestamptz order by next_at, org_id, name limit @most for update skip locked;

-- name: MoveSchedules :exec
update schedules s set next_at = t.next_at
from (select unnest(@org_ids::uuid[]) as org_id, unnest(@names::text[]) as name, unnest(@next_at::timestamptz[]) as next_at) t
where s.org_id = t.org_id and s.name = t.name;

-- name: AddCalls :one
insert into api_calls (org_id, platform, month, calls) values (@org_id, @platform, @month, @calls)
on conflict (org_id, platform, month) do update set calls = api_calls.calls + excluded.calls
returning calls;

-- name: UsedCalls :one
select coalesce((select calls from api_calls where org_id = @org_id and platform = @platform and month = @month), 0)::bigint;

-- name: PurgeCalls :exec
delete from api_calls where month < @before::date;

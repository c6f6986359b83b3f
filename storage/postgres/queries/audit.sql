-- name: LockAudit :exec
select pg_advisory_xact_lock(hashtextextended('audit:' || (@org_id::uuid)::text, 0));

-- name: AuditHead :one
select seq, hash from audit_log where org_id = @org_id order by seq desc limit 1;

-- name: SaveAudit :exec
insert into audit_log (org_id, seq, at, actor_id, act, subject, about_id, detail, previous, hash)
select @org_id, unnest(@seqs::bigint[]), unnest(@at::timestamptz[]), nullif(unnest(@actors::uuid[]), '00000000-0000-0000-0000-000000000000'),
  unnest(@acts::text[]), nullif(unnest(@subjects::uuid[]), '00000000-0000-0000-0000-000000000000'),
  nullif(unnest(@abouts::uuid[]), '00000000-0000-0000-0000-000000000000'), unnest(@details::text[])::jsonb,
  unnest(@previous::bytea[]), unnest(@hashes::bytea[]);

-- name: Audit :many
select * from audit_log
where org_id = @org_id and seq < @before and (sqlc.narg('about')::uuid is null or about_id = sqlc.narg('about'))
order by seq desc limit @most;

-- name: AuditFrom :many
select * from audit_log where org_id = @org_id and seq > @after order by seq limit @most;

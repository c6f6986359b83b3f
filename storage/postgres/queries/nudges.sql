-- One message of nudges to a person at a time: whoever makes one holds this until it is clear what belongs to it.

-- name: LockNudges :exec
select pg_advisory_xact_lock(hashtextextended(concat(@org_id::uuid, @person_id::uuid), 20261122));

-- name: NudgesUnderWay :one
select exists (select from deliveries d where d.org_id = @org_id and d.nudge_of = @person_id::uuid and d.notice_id <> @leader::uuid
  and (d.state = 'sent' and d.sent_at >= @since::timestamptz or d.gathered_into = d.notice_id and d.state in ('waiting', 'sending')));

-- name: LeadNudges :execrows
update deliveries set gathered_into = notice_id, nudge_of = person_id where org_id = @org_id and notice_id = @leader::uuid
  and (gathered_into is null or gathered_into = notice_id) and state in ('waiting', 'sending');

-- name: JoinNudges :exec
with more as (
  select d.org_id, d.notice_id from deliveries d where d.org_id = @org_id and d.nudge_of = @person_id::uuid and d.state = 'waiting'
    and d.gathered_into is null and d.due_at <= @now::timestamptz order by d.due_at, d.notice_id limit @most for update
)
update deliveries d set gathered_into = @leader::uuid, state = 'skipped', fault = 'gathered' from more m
where d.org_id = m.org_id and d.notice_id = m.notice_id;

-- What is due and was not handed over yet need not be any more.

-- name: JoinWaitingNudges :exec
with due as materialized (
  select o.org_id, o.notice_id from outbox o where o.org_id = @org_id and o.person_id = @person_id::uuid and o.kind = any(@kinds::text[])
    and o.due_at <= @now::timestamptz order by o.due_at, o.notice_id limit @most for update skip locked
), taken as (
  delete from outbox o using due d where o.org_id = d.org_id and o.notice_id = d.notice_id
  returning o.org_id, o.notice_id, o.kind, o.person_id, o.subject, o.due_at
)
insert into deliveries (org_id, notice_id, kind, person_id, subject, due_at, state, fault, nudge_of, gathered_into)
select t.org_id, t.notice_id, t.kind, t.person_id, t.subject, t.due_at, 'skipped', 'gathered', t.person_id, @leader::uuid from taken t
on conflict (org_id, notice_id) do nothing;

-- name: Gathered :many
select * from deliveries where org_id = @org_id and nudge_of = @person_id::uuid and gathered_into = @leader::uuid order by due_at, notice_id;

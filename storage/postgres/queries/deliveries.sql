-- name: Tell :exec
insert into outbox (org_id, notice_id, kind, person_id, channel, subject, due_at)
select @org_id, unnest(@notice_ids::uuid[]), unnest(@kinds::text[]), nullif(unnest(@person_ids::uuid[]), '00000000-0000-0000-0000-000000000000'),
  unnest(@channels::text[]), unnest(@subjects::uuid[]), unnest(@due_at::timestamptz[]);

-- A delivery that is there already and not held has been handed over before: it stays as it is and is not handed over again.

-- name: HandOver :many
with due as materialized (
  select org_id, notice_id from outbox where due_at <= @now::timestamptz order by due_at, notice_id limit @most for update skip locked
), taken as (
  delete from outbox o using due d where o.org_id = d.org_id and o.notice_id = d.notice_id
  returning o.org_id, o.notice_id, o.kind, o.person_id, o.channel, o.subject, o.due_at
)
insert into deliveries as known (org_id, notice_id, kind, person_id, channel, subject, due_at, nudge_of)
select t.org_id, t.notice_id, t.kind, t.person_id, t.channel, t.subject, t.due_at, case when t.kind = any(@nudges::text[]) then t.person_id end from taken t
on conflict (org_id, notice_id) do update set state = 'waiting', due_at = excluded.due_at where known.state = 'held'
returning org_id, notice_id, kind, person_id, channel, subject, due_at;

-- name: Delivery :one
select * from deliveries where org_id = @org_id and notice_id = @notice_id;

-- name: SaveDelivery :exec
insert into deliveries (org_id, notice_id, kind, person_id, channel, subject, due_at, state, platform, address, ref_channel, ref_id,
  attempts, tried_at, sent_at, fault)
values (@org_id, @notice_id, @kind, @person_id, @channel, @subject, @due_at, @state, @platform, @address, @ref_channel, @ref_id,
  @attempts, @tried_at, @sent_at, @fault)
on conflict (org_id, notice_id) do update set kind = excluded.kind, person_id = excluded.person_id, channel = excluded.channel,
  subject = excluded.subject, due_at = excluded.due_at, state = excluded.state, platform = excluded.platform, address = excluded.address,
  ref_channel = excluded.ref_channel, ref_id = excluded.ref_id, attempts = excluded.attempts, tried_at = excluded.tried_at,
  sent_at = excluded.sent_at, fault = excluded.fault;

-- A message of several nudges is about the subjects of all of them.

-- name: SentAbout :many
select * from deliveries s where s.org_id = @org_id and s.state = 'sent' and s.ref_id <> '' and s.notice_id in (
  select coalesce(d.gathered_into, d.notice_id) from deliveries d where d.org_id = @org_id and d.subject = @subject)
order by s.sent_at, s.notice_id;

-- name: Release :one
with back as (
  insert into outbox (org_id, notice_id, kind, person_id, channel, subject, due_at)
  select d.org_id, d.notice_id, d.kind, d.person_id, d.channel, d.subject, @now::timestamptz from deliveries d
  where d.org_id = @org_id and d.person_id = @person_id::uuid and d.state = 'held'
  on conflict (org_id, notice_id) do nothing
  returning notice_id
)
select count(*) from back;

-- name: Dead :many
select * from deliveries where state = 'dead' order by due_at desc, notice_id limit @most;

-- name: CountDead :one
select count(*) from deliveries where state = 'dead';

-- A released notice has a row of the outbox and a delivery, and waits: it is not held any more.

-- name: DeliveryStats :many
select state, count(*) as many, min(due_at)::timestamptz as oldest from (
  select d.state, d.due_at from deliveries d where d.state in ('waiting', 'sending', 'held', 'dead')
    and (d.state <> 'waiting' or d.due_at <= @now::timestamptz)
    and (d.state <> 'held' or not exists (select from outbox k where k.org_id = d.org_id and k.notice_id = d.notice_id))
  union all
  select 'waiting', o.due_at from outbox o where o.due_at <= @now::timestamptz
) t group by state;

-- name: PurgeInbox :execrows
delete from inbox where ctid = any(array(select i.ctid from inbox i where i.received_at < @before::timestamptz limit @most));

-- name: PurgeDeliveries :execrows
delete from deliveries where ctid = any(array(
  select d.ctid from deliveries d where d.due_at < @before::timestamptz and d.state in ('sent', 'skipped', 'dead') limit @most));

-- name: ReleaseKnown :one
with back as (
  insert into outbox (org_id, notice_id, kind, person_id, channel, subject, due_at)
  select d.org_id, d.notice_id, d.kind, d.person_id, d.channel, d.subject, @now::timestamptz from deliveries d
  where d.state = 'held' and exists (select from identities i
    where i.org_id = d.org_id and i.person_id = d.person_id and i.state = any(@states::text[]) and i.kind <> 'gone')
  limit 5000
  on conflict (org_id, notice_id) do nothing
  returning notice_id
)
select count(*) from back;

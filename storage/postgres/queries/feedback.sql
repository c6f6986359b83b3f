-- Reading what is about to be changed takes two statements: one locks the row, the next reads it with all that hangs on it. A single
-- one with "for update" would, after waiting, show the new row with the old receivers.

-- name: LockPraise :exec
select from praises where org_id = @org_id and praise_id = @praise_id for update;

-- name: Praise :one
select p.*,
  array(select r.person_id from praise_receivers r where r.org_id = p.org_id and r.praise_id = p.praise_id order by r.place)::uuid[] as receivers,
  array(select coalesce(r.thanked_at, '0001-01-01 00:00:00+00') from praise_receivers r
    where r.org_id = p.org_id and r.praise_id = p.praise_id order by r.place)::timestamptz[] as thanked
from praises p where p.org_id = @org_id and p.praise_id = @praise_id;

-- name: SavePraise :exec
with praise as (
  insert into praises (org_id, praise_id, author_id, text, tags, channel, said_at, edited_at, withdrawn_at)
  values (@org_id, @praise_id, @author_id, @text, @tags, @channel, @said_at, @edited_at, @withdrawn_at)
  on conflict (org_id, praise_id) do update set author_id = excluded.author_id, text = excluded.text, tags = excluded.tags,
    channel = excluded.channel, said_at = excluded.said_at, edited_at = excluded.edited_at, withdrawn_at = excluded.withdrawn_at
), gone as (
  delete from praise_receivers where org_id = @org_id and praise_id = @praise_id and person_id <> all(@receivers::uuid[])
)
insert into praise_receivers (org_id, praise_id, person_id, place, said_at, thanked_at)
select @org_id, @praise_id, t.person_id, t.place, @said_at, nullif(t.thanked_at, '0001-01-01 00:00:00+00')
from (select unnest(@receivers::uuid[]) as person_id, unnest(@thanked::timestamptz[]) as thanked_at,
  generate_series(0, cardinality(@receivers::uuid[]) - 1) as place) t
on conflict (org_id, praise_id, person_id) do update set place = excluded.place, said_at = excluded.said_at, thanked_at = excluded.thanked_at;

-- A new praise with its guards, its receivers and its notices is the statement that the product lives on: all of it at once, at half
-- the cost of one statement each. It refuses a praise that is there already.

-- name: GivePraise :exec
with taken as (
  insert into inbox (org_id, event, received_at)
  select @org_id, case when @version::bigint = 0 or (select o.directory_version from orgs o where o.org_id = @org_id) = @version then @event::text
    else assert_directory(@org_id, @version)::text end, @received_at
), given as (
  insert into praises (org_id, praise_id, author_id, text, tags, channel, said_at, edited_at, withdrawn_at)
  values (@org_id, @praise_id, @author_id, @text, @tags, @channel, @said_at, @edited_at, @withdrawn_at)
), receivers as (
  insert into praise_receivers (org_id, praise_id, person_id, place, said_at, thanked_at)
  select @org_id, @praise_id, unnest(@receivers::uuid[]), generate_series(0, cardinality(@receivers::uuid[]) - 1), @said_at,
    nullif(unnest(@thanked::timestamptz[]), '0001-01-01 00:00:00+00')
)
insert into outbox (org_id, notice_id, kind, person_id, channel, subject, due_at)
select @org_id, unnest(@notice_ids::uuid[]), unnest(@kinds::text[]), nullif(unnest(@person_ids::uuid[]), '00000000-0000-0000-0000-000000000000'),
  unnest(@channels::text[]), unnest(@subjects::uuid[]), unnest(@due_at::timestamptz[]);

-- Several new praises at once, which need not be of one firm. It refuses all of them when there is one that GivePraise would refuse:
-- telling which costs more than trying each of them again, as seldom as that is. Tags are array literals, since an array of arrays of
-- different lengths is nothing that Postgres has.

-- name: GivePraises :exec
with taken as (
  insert into inbox (org_id, event, received_at)
  select g.org_id, case when g.version = 0 or (select o.directory_version from orgs o where o.org_id = g.org_id) = g.version then g.event
    else assert_directory(g.org_id, g.version)::text end, g.received_at
  from (select unnest(@org_ids::uuid[]) as org_id, unnest(@versions::bigint[]) as version, unnest(@events::text[]) as event,
    unnest(@received_at::timestamptz[]) as received_at) g
), given as (
  insert into praises (org_id, praise_id, author_id, text, tags, channel, said_at)
  select unnest(@org_ids::uuid[]), unnest(@praise_ids::uuid[]), unnest(@author_ids::uuid[]), unnest(@texts::text[]),
    unnest(@tags::text[])::text[], unnest(@praise_channels::text[]), unnest(@said_at::timestamptz[])
), receivers as (
  insert into praise_receivers (org_id, praise_id, person_id, place, said_at)
  select unnest(@receiver_org_ids::uuid[]), unnest(@receiver_praise_ids::uuid[]), unnest(@receivers::uuid[]), unnest(@places::smallint[]),
    unnest(@receiver_said_at::timestamptz[])
)
insert into outbox (org_id, notice_id, kind, person_id, channel, subject, due_at)
select unnest(@notice_org_ids::uuid[]), unnest(@notice_ids::uuid[]), unnest(@kinds::text[]),
  nullif(unnest(@person_ids::uuid[]), '00000000-0000-0000-0000-000000000000'), unnest(@channels::text[]), unnest(@subjects::uuid[]),
  unnest(@due_at::timestamptz[]);

-- name: LockNote :exec
select from notes where org_id = @org_id and note_id = @note_id for update;

-- name: Note :one
select * from notes where org_id = @org_id and note_id = @note_id;

-- name: SaveNote :exec
insert into notes (org_id, note_id, author_id, receiver_id, text, state, action_text, action_due, action_proposed_by, action_author_ok,
  action_receiver_ok, said_at, edited_at, closed_at, next_follow_up_at)
values (@org_id, @note_id, @author_id, @receiver_id, @text, @state, @action_text, @action_due, @action_proposed_by, @action_author_ok,
  @action_receiver_ok, @said_at, @edited_at, @closed_at, @next_follow_up_at)
on conflict (org_id, note_id) do update set author_id = excluded.author_id, receiver_id = excluded.receiver_id, text = excluded.text,
  state = excluded.state, action_text = excluded.action_text, action_due = excluded.action_due,
  action_proposed_by = excluded.action_proposed_by, action_author_ok = excluded.action_author_ok,
  action_receiver_ok = excluded.action_receiver_ok, said_at = excluded.said_at, edited_at = excluded.edited_at,
  closed_at = excluded.closed_at, next_follow_up_at = excluded.next_follow_up_at;

-- name: DueFollowUps :many
select org_id, note_id from notes where next_follow_up_at <= @now::timestamptz order by next_follow_up_at, note_id limit @most;

-- name: OpenNotes :many
select * from (
  (select a.* from notes a where a.org_id = @org_id and a.author_id = @person_id and a.state in ('open', 'agreed')
    order by a.said_at, a.note_id limit @most)
  union all
  (select r.* from notes r where r.org_id = @org_id and r.receiver_id = @person_id and r.state in ('open', 'agreed')
    order by r.said_at, r.note_id limit @most)
) n order by n.said_at, n.note_id limit @most;

-- name: LockAsk :exec
select from asks where org_id = @org_id and ask_id = @ask_id for update;

-- name: Ask :one
select a.*,
  array(select p.person_id from ask_people p where p.org_id = a.org_id and p.ask_id = a.ask_id order by p.place)::uuid[] as asked,
  array(select p.answer from ask_people p where p.org_id = a.org_id and p.ask_id = a.ask_id order by p.place)::text[] as answers,
  array(select coalesce(p.answered_at, '0001-01-01 00:00:00+00') from ask_people p
    where p.org_id = a.org_id and p.ask_id = a.ask_id order by p.place)::timestamptz[] as answered,
  array(select coalesce(p.declined_at, '0001-01-01 00:00:00+00') from ask_people p
    where p.org_id = a.org_id and p.ask_id = a.ask_id order by p.place)::timestamptz[] as declined
from asks a where a.org_id = @org_id and a.ask_id = @ask_id;

-- name: OpenAsks :many
select a.*,
  array(select p.person_id from ask_people p where p.org_id = a.org_id and p.ask_id = a.ask_id order by p.place)::uuid[] as asked,
  array(select p.answer from ask_people p where p.org_id = a.org_id and p.ask_id = a.ask_id order by p.place)::text[] as answers,
  array(select coalesce(p.answered_at, '0001-01-01 00:00:00+00') from ask_people p
    where p.org_id = a.org_id and p.ask_id = a.ask_id order by p.place)::timestamptz[] as answered,
  array(select coalesce(p.declined_at, '0001-01-01 00:00:00+00') from ask_people p
    where p.org_id = a.org_id and p.ask_id = a.ask_id order by p.place)::timestamptz[] as declined
from ask_people w join asks a on a.org_id = w.org_id and a.ask_id = w.ask_id
where w.org_id = @org_id and w.person_id = @person_id and w.answered_at is null and w.declined_at is null and a.withdrawn_at is null
order by a.said_at, a.ask_id limit @most;

-- name: SaveAsk :exec
with ask as (
  insert into asks (org_id, ask_id, author_id, about, said_at, withdrawn_at)
  values (@org_id, @ask_id, @author_id, @about, @said_at, @withdrawn_at)
  on conflict (org_id, ask_id) do update set author_id = excluded.author_id, about = excluded.about, said_at = excluded.said_at,
    withdrawn_at = excluded.withdrawn_at
), gone as (
  delete from ask_people where org_id = @org_id and ask_id = @ask_id and person_id <> all(@asked::uuid[])
)
insert into ask_people (org_id, ask_id, person_id, author_id, place, answer, answered_at, declined_at)
select @org_id, @ask_id, t.person_id, @author_id, t.place, t.answer, nullif(t.answered_at, '0001-01-01 00:00:00+00'),
  nullif(t.declined_at, '0001-01-01 00:00:00+00')
from (select unnest(@asked::uuid[]) as person_id, unnest(@answers::text[]) as answer, unnest(@answered::timestamptz[]) as answered_at,
  unnest(@declined::timestamptz[]) as declined_at, generate_series(0, cardinality(@asked::uuid[]) - 1) as place) t
on conflict (org_id, ask_id, person_id) do update set author_id = excluded.author_id, place = excluded.place, answer = excluded.answer,
  answered_at = excluded.answered_at, declined_at = excluded.declined_at;

-- name: LockKeyEvent :exec
select from key_events where org_id = @org_id and key_event_id = @key_event_id for update;

-- name: KeyEvent :one
select * from key_events where org_id = @org_id and key_event_id = @key_event_id;

-- name: SaveKeyEvent :exec
insert into key_events (org_id, key_event_id, person_id, text, link, happened_on, said_at, withdrawn_at)
values (@org_id, @key_event_id, @person_id, @text, @link, @happened_on, @said_at, @withdrawn_at)
on conflict (org_id, key_event_id) do update set person_id = excluded.person_id, text = excluded.text, link = excluded.link,
  happened_on = excluded.happened_on, said_at = excluded.said_at, withdrawn_at = excluded.withdrawn_at;

-- name: Values :many
select name, name_en from company_values where org_id = @org_id order by place;

-- name: SaveValues :exec
insert into company_values (org_id, place, name, name_en)
select @org_id, generate_series(0, cardinality(@names::text[]) - 1), unnest(@names::text[]), unnest(@names_en::text[])
on conflict (org_id, place) do update set name = excluded.name, name_en = excluded.name_en;

-- name: CutValues :exec
delete from company_values where org_id = @org_id and place >= @many::int;

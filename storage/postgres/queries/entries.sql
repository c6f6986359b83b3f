-- Lists of feedback. Every branch walks one index from the cursor and stops after a page, so that a page costs the same however
-- much there is. Without a cursor the page starts at infinity, which keeps the comparison one that the index can answer.

-- name: Received :many
(select 'praise'::text as kind, p.praise_id as id, r.said_at as at, p.author_id as from_id,
    array(select x.person_id from praise_receivers x where x.org_id = p.org_id and x.praise_id = p.praise_id order by x.place)::uuid[] as to_ids,
    p.text, ''::text as about, p.tags, ''::text as link, ''::text as state, null::date as due
  from praise_receivers r join praises p on p.org_id = r.org_id and p.praise_id = r.praise_id
  where r.org_id = @org_id and r.person_id = @person_id and p.withdrawn_at is null
    and (r.said_at, r.praise_id) < (coalesce(sqlc.narg('before_at')::timestamptz, 'infinity'), @before_id::uuid)
    and (sqlc.narg('from_id')::uuid is null or p.author_id = sqlc.narg('from_id'))
  order by r.said_at desc, r.praise_id desc limit @most)
union all
(select 'note', n.note_id, n.said_at, n.author_id, array[n.receiver_id]::uuid[], n.text, '', '{}'::text[], '', n.state, n.action_due
  from notes n
  where n.org_id = @org_id and n.receiver_id = @person_id and n.state <> 'withdrawn'
    and (n.said_at, n.note_id) < (coalesce(sqlc.narg('before_at')::timestamptz, 'infinity'), @before_id::uuid)
    and (sqlc.narg('from_id')::uuid is null or n.author_id = sqlc.narg('from_id'))
  order by n.said_at desc, n.note_id desc limit @most)
union all
(select 'answer', w.ask_id, w.answered_at, w.person_id, array[w.author_id]::uuid[], w.answer, a.about, '{}'::text[], '', '', null
  from ask_people w join asks a on a.org_id = w.org_id and a.ask_id = w.ask_id
  where w.org_id = @org_id and w.author_id = @person_id and w.answered_at is not null
    and (w.answered_at, w.ask_id) < (coalesce(sqlc.narg('before_at')::timestamptz, 'infinity'), @before_id::uuid)
    and (sqlc.narg('from_id')::uuid is null or w.person_id = sqlc.narg('from_id'))
  order by w.answered_at desc, w.ask_id desc limit @most)
order by at desc, id desc, from_id limit @most;

-- name: Given :many
(select 'praise'::text as kind, p.praise_id as id, p.said_at as at, p.author_id as from_id,
    array(select x.person_id from praise_receivers x where x.org_id = p.org_id and x.praise_id = p.praise_id order by x.place)::uuid[] as to_ids,
    p.text, ''::text as about, p.tags, ''::text as link, ''::text as state, null::date as due
  from praises p
  where p.org_id = @org_id and p.author_id = @person_id and p.withdrawn_at is null
    and (p.said_at, p.praise_id) < (coalesce(sqlc.narg('before_at')::timestamptz, 'infinity'), @before_id::uuid)
  order by p.said_at desc, p.praise_id desc limit @most)
union all
(select 'note', n.note_id, n.said_at, n.author_id, array[n.receiver_id]::uuid[], n.text, '', '{}'::text[], '', n.state, n.action_due
  from notes n
  where n.org_id = @org_id and n.author_id = @person_id and n.state <> 'withdrawn'
    and (n.said_at, n.note_id) < (coalesce(sqlc.narg('before_at')::timestamptz, 'infinity'), @before_id::uuid)
  order by n.said_at desc, n.note_id desc limit @most)
union all
(select 'answer', w.ask_id, w.answered_at, w.person_id, array[w.author_id]::uuid[], w.answer, a.about, '{}'::text[], '', '', null
  from ask_people w join asks a on a.org_id = w.org_id and a.ask_id = w.ask_id
  where w.org_id = @org_id and w.person_id = @person_id and w.answered_at is not null
    and (w.answered_at, w.ask_id) < (coalesce(sqlc.narg('before_at')::timestamptz, 'infinity'), @before_id::uuid)
  order by w.answered_at desc, w.ask_id desc limit @most)
order by at desc, id desc limit @most;

-- name: Events :many
select 'event'::text as kind, k.key_event_id as id, k.said_at as at, k.person_id as from_id, array[k.person_id]::uuid[] as to_ids,
  k.text, ''::text as about, '{}'::text[] as tags, k.link, ''::text as state, null::date as due
from key_events k
where k.org_id = @org_id and k.person_id = @person_id and k.withdrawn_at is null
  and (k.said_at, k.key_event_id) < (coalesce(sqlc.narg('before_at')::timestamptz, 'infinity'), @before_id::uuid)
order by k.said_at desc, k.key_event_id desc limit @most;

-- The counts walk the same indexes, but no further back than the first of the bounds.

-- name: CountReceived :many
select width_bucket(t.at, @bounds::timestamptz[])::int as bucket, count(*) as many from (
  select r.said_at as at
  from praise_receivers r join praises p on p.org_id = r.org_id and p.praise_id = r.praise_id
  where r.org_id = @org_id and r.person_id = @person_id and r.said_at >= @since::timestamptz and p.withdrawn_at is null
    and (sqlc.narg('from_id')::uuid is null or p.author_id = sqlc.narg('from_id'))
  union all
  select n.said_at from notes n
  where n.org_id = @org_id and n.receiver_id = @person_id and n.said_at >= @since::timestamptz and n.state <> 'withdrawn'
    and (sqlc.narg('from_id')::uuid is null or n.author_id = sqlc.narg('from_id'))
  union all
  select w.answered_at from ask_people w
  where w.org_id = @org_id and w.author_id = @person_id and w.answered_at >= @since::timestamptz
    and (sqlc.narg('from_id')::uuid is null or w.person_id = sqlc.narg('from_id'))
) t group by 1;

-- name: CountGiven :many
select width_bucket(t.at, @bounds::timestamptz[])::int as bucket, count(*) as many from (
  select p.said_at as at from praises p
  where p.org_id = @org_id and p.author_id = @person_id and p.said_at >= @since::timestamptz and p.withdrawn_at is null
  union all
  select n.said_at from notes n
  where n.org_id = @org_id and n.author_id = @person_id and n.said_at >= @since::timestamptz and n.state <> 'withdrawn'
  union all
  select w.answered_at from ask_people w
  where w.org_id = @org_id and w.person_id = @person_id and w.answered_at >= @since::timestamptz
) t group by 1;

-- name: CountEvents :many
select width_bucket(k.said_at, @bounds::timestamptz[])::int as bucket, count(*) as many from key_events k
where k.org_id = @org_id and k.person_id = @person_id and k.said_at >= @since::timestamptz and k.withdrawn_at is null
group by 1;

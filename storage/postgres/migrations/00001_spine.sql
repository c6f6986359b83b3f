-- +goose Up

-- A firm. directory_version rises with every change to people, identities or settings; a write that was decided on an older
-- version is refused (assert_directory) and decided again.
create table orgs (
  org_id            uuid        not null,
  name              text        not null,
  timezone          text        not null,
  lang              text        not null,
  directory_version bigint      not null default 1,
  created_at        timestamptz not null,
  constraint orgs_pkey primary key (org_id)
);

-- Which workspace of which platform belongs to which firm.
create table installations (
  org_id   uuid not null,
  platform text not null,
  tenant   text not null,
  constraint installations_pkey primary key (org_id, platform, tenant),
  constraint installations_org_fkey foreign key (org_id) references orgs (org_id)
);
create unique index installations_tenant_key on installations (platform, tenant);

create table people (
  org_id            uuid   not null,
  person_id         uuid   not null,
  employee_no       text   not null,
  name              text   not null,
  name_en           text   not null default '',
  email             text   not null default '',
  department        text   not null default '',
  manager_id        uuid,
  title             text   not null default '',
  role              text   not null default 'employee',
  hired_on          date,
  timezone          text   not null default '',
  lang              text   not null default '',
  active            boolean not null default true,
  settings          jsonb  not null default '{}',
  directory_version bigint not null,
  constraint people_pkey primary key (org_id, person_id),
  constraint people_org_fkey foreign key (org_id) references orgs (org_id),
  constraint people_manager_fkey foreign key (org_id, manager_id) references people (org_id, person_id) deferrable initially deferred,
  constraint people_role_check check (role in ('employee', 'hr', 'executive', 'admin')),
  constraint people_manager_check check (manager_id <> person_id),
  -- A unique index that is looked at when all is done, so that an import may let two people swap addresses.
  constraint people_email_key exclude using btree (org_id with =, email with =) where (email <> '') deferrable initially deferred
);
create unique index people_employee_no_key on people (org_id, employee_no);
create index people_version_idx on people (org_id, directory_version);
create index people_manager_idx on people (org_id, manager_id);

-- Accounts on the platforms, and whose they are.
create table identities (
  org_id            uuid   not null,
  platform          text   not null,
  external_id       text   not null,
  person_id         uuid,
  state             text   not null,
  kind              text   not null,
  name              text   not null default '',
  email             text   not null default '',
  timezone          text   not null default '',
  lang              text   not null default '',
  directory_version bigint not null,
  constraint identities_pkey primary key (org_id, platform, external_id),
  constraint identities_org_fkey foreign key (org_id) references orgs (org_id),
  constraint identities_person_fkey foreign key (org_id, person_id) references people (org_id, person_id),
  constraint identities_state_check check (state in ('unclaimed', 'proposed', 'confirmed', 'refused')),
  constraint identities_kind_check check (kind in ('member', 'guest', 'bot', 'gone')),
  constraint identities_person_check check ((state = 'unclaimed') = (person_id is null)),
  -- At most one account of a platform is a person's; looked at when all is done, so that a link may move from one to the other.
  constraint identities_confirmed_key exclude using btree (org_id with =, platform with =, person_id with =)
    where (state = 'confirmed' and kind <> 'gone') deferrable initially deferred
);
create index identities_version_idx on identities (org_id, directory_version);
create index identities_person_idx on identities (org_id, person_id);

-- Every deed that had an effect, by the platform's own id of it: the same deed delivered again finds its row and does nothing.
create table inbox (
  org_id      uuid        not null,
  event       text        not null,
  received_at timestamptz not null,
  constraint inbox_pkey primary key (org_id, event)
);
create index inbox_received_idx on inbox (received_at);

create table praises (
  org_id       uuid        not null,
  praise_id    uuid        not null,
  author_id    uuid        not null,
  text         text        not null,
  tags         text[]      not null default '{}',
  channel      text        not null default '',
  said_at      timestamptz not null,
  edited_at    timestamptz,
  withdrawn_at timestamptz,
  constraint praises_pkey primary key (org_id, praise_id),
  constraint praises_author_fkey foreign key (org_id, author_id) references people (org_id, person_id)
);
create index praises_author_idx on praises (org_id, author_id, said_at desc, praise_id desc);

create table praise_receivers (
  org_id     uuid        not null,
  praise_id  uuid        not null,
  person_id  uuid        not null,
  place      smallint    not null, -- the order in which they were named
  said_at    timestamptz not null, -- the praise's own time, here so that one index answers "what I received"
  thanked_at timestamptz,
  constraint praise_receivers_pkey primary key (org_id, praise_id, person_id),
  constraint praise_receivers_praise_fkey foreign key (org_id, praise_id) references praises (org_id, praise_id) on delete cascade,
  constraint praise_receivers_person_fkey foreign key (org_id, person_id) references people (org_id, person_id)
);
create index praise_receivers_person_idx on praise_receivers (org_id, person_id, said_at desc, praise_id desc);

create table notes (
  org_id             uuid        not null,
  note_id            uuid        not null,
  author_id          uuid        not null,
  receiver_id        uuid        not null,
  text               text        not null,
  state              text        not null default 'open',
  action_text        text        not null default '',
  action_due         date,
  action_proposed_by uuid,
  action_author_ok   boolean     not null default false,
  action_receiver_ok boolean     not null default false,
  said_at            timestamptz not null,
  edited_at          timestamptz,
  closed_at          timestamptz,
  next_follow_up_at  timestamptz,
  constraint notes_pkey primary key (org_id, note_id),
  constraint notes_author_fkey foreign key (org_id, author_id) references people (org_id, person_id),
  constraint notes_receiver_fkey foreign key (org_id, receiver_id) references people (org_id, person_id),
  constraint notes_proposer_fkey foreign key (org_id, action_proposed_by) references people (org_id, person_id),
  constraint notes_state_check check (state in ('open', 'agreed', 'done', 'withdrawn')),
  constraint notes_self_check check (author_id <> receiver_id)
);
create index notes_author_idx on notes (org_id, author_id, said_at desc, note_id desc);
create index notes_receiver_idx on notes (org_id, receiver_id, said_at desc, note_id desc);
create index notes_author_open_idx on notes (org_id, author_id, said_at, note_id) where state in ('open', 'agreed');
create index notes_receiver_open_idx on notes (org_id, receiver_id, said_at, note_id) where state in ('open', 'agreed');
create index notes_follow_up_idx on notes (next_follow_up_at) where next_follow_up_at is not null;

create table asks (
  org_id       uuid        not null,
  ask_id       uuid        not null,
  author_id    uuid        not null,
  about        text        not null,
  said_at      timestamptz not null,
  withdrawn_at timestamptz,
  constraint asks_pkey primary key (org_id, ask_id),
  constraint asks_author_fkey foreign key (org_id, author_id) references people (org_id, person_id)
);
create index asks_author_idx on asks (org_id, author_id);

create table ask_people (
  org_id      uuid        not null,
  ask_id      uuid        not null,
  person_id   uuid        not null,
  author_id   uuid        not null, -- who asked, here so that one index answers "answers that I got"
  place       smallint    not null,
  answer      text        not null default '',
  answered_at timestamptz,
  declined_at timestamptz,
  constraint ask_people_pkey primary key (org_id, ask_id, person_id),
  constraint ask_people_ask_fkey foreign key (org_id, ask_id) references asks (org_id, ask_id) on delete cascade,
  constraint ask_people_person_fkey foreign key (org_id, person_id) references people (org_id, person_id),
  constraint ask_people_author_fkey foreign key (org_id, author_id) references people (org_id, person_id)
);
create index ask_people_person_idx on ask_people (org_id, person_id, answered_at desc, ask_id desc) where answered_at is not null;
create index ask_people_open_idx on ask_people (org_id, person_id) where answered_at is null and declined_at is null;
create index ask_people_author_idx on ask_people (org_id, author_id, answered_at desc, ask_id desc) where answered_at is not null;

create table key_events (
  org_id       uuid        not null,
  key_event_id uuid        not null,
  person_id    uuid        not null,
  text         text        not null,
  link         text        not null default '',
  happened_on  date        not null,
  said_at      timestamptz not null,
  withdrawn_at timestamptz,
  constraint key_events_pkey primary key (org_id, key_event_id),
  constraint key_events_person_fkey foreign key (org_id, person_id) references people (org_id, person_id)
);
create index key_events_person_idx on key_events (org_id, person_id, said_at desc, key_event_id desc);

-- What a firm calls its values, in its own order. Praise may carry one as a tag.
create table company_values (
  org_id  uuid     not null,
  place   smallint not null,
  name    text     not null,
  name_en text     not null default '',
  constraint company_values_pkey primary key (org_id, place),
  constraint company_values_org_fkey foreign key (org_id) references orgs (org_id)
);

-- Notices written with their cause, waiting to be handed to the queue in bulk. Rows live for milliseconds.
create table outbox (
  org_id    uuid        not null,
  notice_id uuid        not null,
  kind      text        not null,
  person_id uuid,
  channel   text        not null default '',
  subject   uuid        not null,
  due_at    timestamptz not null,
  constraint outbox_pkey primary key (org_id, notice_id)
);
create index outbox_due_idx on outbox (due_at, notice_id);

-- What became of every notice: one row a message, kept without any words.
create table deliveries (
  org_id      uuid        not null,
  notice_id   uuid        not null,
  kind        text        not null,
  person_id   uuid,
  channel     text        not null default '',
  subject     uuid        not null,
  due_at      timestamptz not null,
  state       text        not null default 'waiting',
  platform    text        not null default '',
  address     text        not null default '', -- the platform's user or channel id that it was sent to
  ref_channel text        not null default '',
  ref_id      text        not null default '',
  attempts    integer     not null default 0,
  tried_at    timestamptz,
  sent_at     timestamptz,
  fault       text        not null default '', -- kind and key of the last fault
  constraint deliveries_pkey primary key (org_id, notice_id),
  constraint deliveries_state_check check (state in ('waiting', 'sending', 'sent', 'held', 'skipped', 'dead'))
);
create index deliveries_subject_idx on deliveries (org_id, subject);
create index deliveries_held_idx on deliveries (org_id, person_id) where state = 'held';
create index deliveries_open_idx on deliveries (state, due_at) where state in ('waiting', 'sending', 'held', 'dead');
create index deliveries_due_idx on deliveries (due_at);

-- Recurring work. A tick takes what is due and moves next_at in the same transaction, so that any number of replicas run each occurrence once.
create table schedules (
  org_id  uuid        not null,
  name    text        not null,
  rule    text        not null, -- five fields of robfig/cron
  zone    text        not null,
  next_at timestamptz not null,
  constraint schedules_pkey primary key (org_id, name),
  constraint schedules_org_fkey foreign key (org_id) references orgs (org_id)
);
create index schedules_next_idx on schedules (next_at);

-- Who did what to whom, each row chained to the one before by its hash. No words, no survey submissions.
create table audit_log (
  org_id   uuid        not null,
  seq      bigint      not null,
  at       timestamptz not null,
  actor_id uuid,
  act      text        not null,
  subject  uuid,
  about_id uuid,
  detail   jsonb       not null default '{}',
  previous bytea       not null,
  hash     bytea       not null,
  constraint audit_log_pkey primary key (org_id, seq),
  constraint audit_log_org_fkey foreign key (org_id) references orgs (org_id)
);
create index audit_log_about_idx on audit_log (org_id, about_id, seq desc);

-- assert_directory refuses a write that was decided on an outdated directory. 0 means: not decided on any.
-- +goose StatementBegin
create function assert_directory(org uuid, version bigint) returns void language plpgsql stable as $$
begin
  if version <> 0 and not exists (select 1 from orgs o where o.org_id = org and o.directory_version = version) then
    raise exception 'directory has changed' using errcode = 'HY001';
  end if;
end $$;
-- +goose StatementEnd

-- raise_directory opens a change of the directory: it keeps every other one waiting, refuses one that was decided on an outdated
-- version (0: decided on none), and gives the version that the changed rows take.
-- +goose StatementBegin
create function raise_directory(org uuid, version bigint) returns bigint language plpgsql as $$
declare
  raised bigint;
begin
  update orgs o set directory_version = o.directory_version + 1 where o.org_id = org returning o.directory_version into raised;
  if raised is null then
    raise exception 'no such organisation' using errcode = 'HY002';
  end if;
  if version <> 0 and raised <> version + 1 then
    raise exception 'directory has changed' using errcode = 'HY001';
  end if;
  return raised;
end $$;
-- +goose StatementEnd

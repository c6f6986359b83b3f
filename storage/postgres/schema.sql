-- The schema as the migrations make it, for reading. Refresh: go test ./storage/postgres -run TestSchemaFile -update

create table api_calls (
  org_id uuid not null,
  platform text not null,
  month date not null,
  calls bigint not null,
  constraint api_calls_pkey PRIMARY KEY (org_id, platform, month),
  constraint api_calls_org_fkey FOREIGN KEY (org_id) REFERENCES orgs(org_id)
);

create table ask_people (
  org_id uuid not null,
  ask_id uuid not null,
  person_id uuid not null,
  author_id uuid not null,
  place smallint not null,
  answer text not null default ''::text,
  answered_at timestamp with time zone,
  declined_at timestamp with time zone,
  constraint ask_people_pkey PRIMARY KEY (org_id, ask_id, person_id),
  constraint ask_people_ask_fkey FOREIGN KEY (org_id, ask_id) REFERENCES asks(org_id, ask_id) ON DELETE CASCADE,
  constraint ask_people_author_fkey FOREIGN KEY (org_id, author_id) REFERENCES people(org_id, person_id),
  constraint ask_people_person_fkey FOREIGN KEY (org_id, person_id) REFERENCES people(org_id, person_id)
);
CREATE INDEX ask_people_author_idx ON ask_people USING btree (org_id, author_id, answered_at DESC, ask_id DESC) WHERE (answered_at IS NOT NULL);
CREATE INDEX ask_people_open_idx ON ask_people USING btree (org_id, person_id) WHERE ((answered_at IS NULL) AND (declined_at IS NULL));
CREATE INDEX ask_people_person_idx ON ask_people USING btree (org_id, person_id, answered_at DESC, ask_id DESC) WHERE (answered_at IS NOT NULL);

create table asks (
  org_id uuid not null,
  ask_id uuid not null,
  author_id uuid not null,
  about text not null,
  said_at timestamp with time zone not null,
  withdrawn_at timestamp with time zone,
  constraint asks_pkey PRIMARY KEY (org_id, ask_id),
  constraint asks_author_fkey FOREIGN KEY (org_id, author_id) REFERENCES people(org_id, person_id)
);
CREATE INDEX asks_author_idx ON asks USING btree (org_id, author_id);

create table audit_log (
  org_id uuid not null,
  seq bigint not null,
  at timestamp with time zone not null,
  actor_id uuid,
  act text not null,
  subject uuid,
  about_id uuid,
  detail jsonb not null default '{}'::jsonb,
  previous bytea not null,
  hash bytea not null,
  constraint audit_log_pkey PRIMARY KEY (org_id, seq),
  constraint audit_log_org_fkey FOREIGN KEY (org_id) REFERENCES orgs(org_id)
);
CREATE INDEX audit_log_about_idx ON audit_log USING btree (org_id, about_id, seq DESC);

create table company_values (
  org_id uuid not null,
  place smallint not null,
  name text not null,
  name_en text not null default ''::text,
  constraint company_values_pkey PRIMARY KEY (org_id, place),
  constraint company_values_org_fkey FOREIGN KEY (org_id) REFERENCES orgs(org_id)
);

create table deliveries (
  org_id uuid not null,
  notice_id uuid not null,
  kind text not null,
  person_id uuid,
  channel text not null default ''::text,
  subject uuid not null,
  due_at timestamp with time zone not null,
  state text not null default 'waiting'::text,
  platform text not null default ''::text,
  address text not null default ''::text,
  ref_channel text not null default ''::text,
  ref_id text not null default ''::text,
  attempts integer not null default 0,
  tried_at timestamp with time zone,
  sent_at timestamp with time zone,
  fault text not null default ''::text,
  nudge_of uuid,
  gathered_into uuid,
  constraint deliveries_pkey PRIMARY KEY (org_id, notice_id),
  constraint deliveries_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sending'::text, 'sent'::text, 'held'::text, 'skipped'::text, 'dead'::text])))
);
CREATE INDEX deliveries_due_idx ON deliveries USING btree (due_at);
CREATE INDEX deliveries_held_idx ON deliveries USING btree (org_id, person_id) WHERE (state = 'held'::text);
CREATE INDEX deliveries_nudges_idx ON deliveries USING btree (org_id, nudge_of, due_at) WHERE (nudge_of IS NOT NULL);
CREATE INDEX deliveries_open_idx ON deliveries USING btree (state, due_at) WHERE (state = ANY (ARRAY['waiting'::text, 'sending'::text, 'held'::text, 'dead'::text]));
CREATE INDEX deliveries_subject_idx ON deliveries USING btree (org_id, subject);

create table directory_follows (
  org_id uuid not null,
  platform text not null,
  since timestamp with time zone not null,
  tried_at timestamp with time zone,
  refused text not null default ''::text,
  amount integer not null default 0,
  constraint directory_follows_pkey PRIMARY KEY (org_id),
  constraint directory_follows_org_fkey FOREIGN KEY (org_id) REFERENCES orgs(org_id),
  constraint directory_follows_refused_check CHECK ((refused = ANY (ARRAY[''::text, 'rows'::text, 'leaving'::text])))
);

create table identities (
  org_id uuid not null,
  platform text not null,
  external_id text not null,
  person_id uuid,
  state text not null,
  kind text not null,
  name text not null default ''::text,
  email text not null default ''::text,
  timezone text not null default ''::text,
  lang text not null default ''::text,
  directory_version bigint not null,
  mobile text not null default ''::text,
  employee_no text not null default ''::text,
  matched_by text not null default ''::text,
  constraint identities_pkey PRIMARY KEY (org_id, platform, external_id),
  constraint identities_confirmed_key EXCLUDE USING btree (org_id WITH =, platform WITH =, person_id WITH =) WHERE (((state = 'confirmed'::text) AND (kind <> 'gone'::text))) DEFERRABLE INITIALLY DEFERRED,
  constraint identities_kind_check CHECK ((kind = ANY (ARRAY['member'::text, 'guest'::text, 'bot'::text, 'gone'::text]))),
  constraint identities_matched_by_check CHECK ((matched_by = ANY (ARRAY[''::text, 'email'::text, 'employee_no'::text, 'mobile'::text]))),
  constraint identities_org_fkey FOREIGN KEY (org_id) REFERENCES orgs(org_id),
  constraint identities_person_check CHECK (((state = 'unclaimed'::text) = (person_id IS NULL))),
  constraint identities_person_fkey FOREIGN KEY (org_id, person_id) REFERENCES people(org_id, person_id),
  constraint identities_state_check CHECK ((state = ANY (ARRAY['unclaimed'::text, 'proposed'::text, 'confirmed'::text, 'refused'::text])))
);
CREATE INDEX identities_person_idx ON identities USING btree (org_id, person_id);
CREATE INDEX identities_version_idx ON identities USING btree (org_id, directory_version);

create table inbox (
  org_id uuid not null,
  event text not null,
  received_at timestamp with time zone not null,
  constraint inbox_pkey PRIMARY KEY (org_id, event)
);
CREATE INDEX inbox_received_idx ON inbox USING btree (received_at);

create table installations (
  org_id uuid not null,
  platform text not null,
  tenant text not null,
  constraint installations_pkey PRIMARY KEY (org_id, platform, tenant),
  constraint installations_org_fkey FOREIGN KEY (org_id) REFERENCES orgs(org_id)
);
CREATE UNIQUE INDEX installations_tenant_key ON installations USING btree (platform, tenant);

create table key_events (
  org_id uuid not null,
  key_event_id uuid not null,
  person_id uuid not null,
  text text not null,
  link text not null default ''::text,
  happened_on date not null,
  said_at timestamp with time zone not null,
  withdrawn_at timestamp with time zone,
  constraint key_events_pkey PRIMARY KEY (org_id, key_event_id),
  constraint key_events_person_fkey FOREIGN KEY (org_id, person_id) REFERENCES people(org_id, person_id)
);
CREATE INDEX key_events_person_idx ON key_events USING btree (org_id, person_id, said_at DESC, key_event_id DESC);

create table last_used (
  org_id uuid not null,
  person_id uuid not null,
  platform text not null,
  used_at timestamp with time zone not null,
  constraint last_used_pkey PRIMARY KEY (org_id, person_id),
  constraint last_used_person_fkey FOREIGN KEY (org_id, person_id) REFERENCES people(org_id, person_id)
);
CREATE INDEX last_used_at_idx ON last_used USING btree (org_id, used_at);

create table notes (
  org_id uuid not null,
  note_id uuid not null,
  author_id uuid not null,
  receiver_id uuid not null,
  text text not null,
  state text not null default 'open'::text,
  action_text text not null default ''::text,
  action_due date,
  action_proposed_by uuid,
  action_author_ok boolean not null default false,
  action_receiver_ok boolean not null default false,
  said_at timestamp with time zone not null,
  edited_at timestamp with time zone,
  closed_at timestamp with time zone,
  next_follow_up_at timestamp with time zone,
  constraint notes_pkey PRIMARY KEY (org_id, note_id),
  constraint notes_author_fkey FOREIGN KEY (org_id, author_id) REFERENCES people(org_id, person_id),
  constraint notes_proposer_fkey FOREIGN KEY (org_id, action_proposed_by) REFERENCES people(org_id, person_id),
  constraint notes_receiver_fkey FOREIGN KEY (org_id, receiver_id) REFERENCES people(org_id, person_id),
  constraint notes_self_check CHECK ((author_id <> receiver_id)),
  constraint notes_state_check CHECK ((state = ANY (ARRAY['open'::text, 'agreed'::text, 'done'::text, 'withdrawn'::text])))
);
CREATE INDEX notes_author_idx ON notes USING btree (org_id, author_id, said_at DESC, note_id DESC);
CREATE INDEX notes_author_open_idx ON notes USING btree (org_id, author_id, said_at, note_id) WHERE (state = ANY (ARRAY['open'::text, 'agreed'::text]));
CREATE INDEX notes_follow_up_idx ON notes USING btree (next_follow_up_at) WHERE (next_follow_up_at IS NOT NULL);
CREATE INDEX notes_receiver_idx ON notes USING btree (org_id, receiver_id, said_at DESC, note_id DESC);
CREATE INDEX notes_receiver_open_idx ON notes USING btree (org_id, receiver_id, said_at, note_id) WHERE (state = ANY (ARRAY['open'::text, 'agreed'::text]));

create table orgs (
  org_id uuid not null,
  name text not null,
  timezone text not null,
  lang text not null,
  directory_version bigint not null default 1,
  created_at timestamp with time zone not null,
  constraint orgs_pkey PRIMARY KEY (org_id)
);

create table outbox (
  org_id uuid not null,
  notice_id uuid not null,
  kind text not null,
  person_id uuid,
  channel text not null default ''::text,
  subject uuid not null,
  due_at timestamp with time zone not null,
  constraint outbox_pkey PRIMARY KEY (org_id, notice_id)
);
CREATE INDEX outbox_due_idx ON outbox USING btree (due_at, notice_id);

create table people (
  org_id uuid not null,
  person_id uuid not null,
  employee_no text not null,
  name text not null,
  name_en text not null default ''::text,
  email text not null default ''::text,
  department text not null default ''::text,
  manager_id uuid,
  title text not null default ''::text,
  role text not null default 'employee'::text,
  hired_on date,
  timezone text not null default ''::text,
  lang text not null default ''::text,
  active boolean not null default true,
  settings jsonb not null default '{}'::jsonb,
  directory_version bigint not null,
  mobile text not null default ''::text,
  constraint people_pkey PRIMARY KEY (org_id, person_id),
  constraint people_email_key EXCLUDE USING btree (org_id WITH =, email WITH =) WHERE ((email <> ''::text)) DEFERRABLE INITIALLY DEFERRED,
  constraint people_manager_check CHECK ((manager_id <> person_id)),
  constraint people_manager_fkey FOREIGN KEY (org_id, manager_id) REFERENCES people(org_id, person_id) DEFERRABLE INITIALLY DEFERRED,
  constraint people_org_fkey FOREIGN KEY (org_id) REFERENCES orgs(org_id),
  constraint people_role_check CHECK ((role = ANY (ARRAY['employee'::text, 'hr'::text, 'executive'::text, 'admin'::text])))
);
CREATE UNIQUE INDEX people_employee_no_key ON people USING btree (org_id, employee_no);
CREATE INDEX people_manager_idx ON people USING btree (org_id, manager_id);
CREATE INDEX people_version_idx ON people USING btree (org_id, directory_version);

create table praise_receivers (
  org_id uuid not null,
  praise_id uuid not null,
  person_id uuid not null,
  place smallint not null,
  said_at timestamp with time zone not null,
  thanked_at timestamp with time zone,
  constraint praise_receivers_pkey PRIMARY KEY (org_id, praise_id, person_id),
  constraint praise_receivers_person_fkey FOREIGN KEY (org_id, person_id) REFERENCES people(org_id, person_id),
  constraint praise_receivers_praise_fkey FOREIGN KEY (org_id, praise_id) REFERENCES praises(org_id, praise_id) ON DELETE CASCADE
);
CREATE INDEX praise_receivers_person_idx ON praise_receivers USING btree (org_id, person_id, said_at DESC, praise_id DESC);

create table praises (
  org_id uuid not null,
  praise_id uuid not null,
  author_id uuid not null,
  text text not null,
  tags text[] not null default '{}'::text[],
  channel text not null default ''::text,
  said_at timestamp with time zone not null,
  edited_at timestamp with time zone,
  withdrawn_at timestamp with time zone,
  constraint praises_pkey PRIMARY KEY (org_id, praise_id),
  constraint praises_author_fkey FOREIGN KEY (org_id, author_id) REFERENCES people(org_id, person_id)
);
CREATE INDEX praises_author_idx ON praises USING btree (org_id, author_id, said_at DESC, praise_id DESC);

create table schedules (
  org_id uuid not null,
  name text not null,
  rule text not null,
  zone text not null,
  next_at timestamp with time zone not null,
  constraint schedules_pkey PRIMARY KEY (org_id, name),
  constraint schedules_org_fkey FOREIGN KEY (org_id) REFERENCES orgs(org_id)
);
CREATE INDEX schedules_next_idx ON schedules USING btree (next_at);

CREATE OR REPLACE FUNCTION assert_directory(org uuid, version bigint)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
  if version <> 0 and not exists (select 1 from orgs o where o.org_id = org and o.directory_version = version) then
    raise exception 'directory has changed' using errcode = 'HY001';
  end if;
end $function$;

CREATE OR REPLACE FUNCTION raise_directory(org uuid, version bigint)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
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
end $function$;

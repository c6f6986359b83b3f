-- +goose Up

-- What an account is known to be somebody's by, beside its e-mail address. Mobile numbers are kept in one form (people.FoldMobile).
alter table people add column mobile text not null default '';
alter table identities add column mobile text not null default '';
alter table identities add column employee_no text not null default '';
alter table identities add column matched_by text not null default '';
update identities set matched_by = 'email' where state in ('proposed', 'refused');
alter table identities add constraint identities_matched_by_check check (matched_by in ('', 'email', 'employee_no', 'mobile'));

-- On which platform a person with several accounts was seen last. It is no part of the directory: it raises no version.
create table last_used (
  org_id    uuid        not null,
  person_id uuid        not null,
  platform  text        not null,
  used_at   timestamptz not null,
  constraint last_used_pkey primary key (org_id, person_id),
  constraint last_used_person_fkey foreign key (org_id, person_id) references people (org_id, person_id)
);
create index last_used_at_idx on last_used (org_id, used_at);

-- The platform whose directory the firm's people follow, and what became of the last time that it was taken over.
create table directory_follows (
  org_id   uuid        not null,
  platform text        not null,
  since    timestamptz not null,
  tried_at timestamptz,
  refused  text        not null default '', -- why the last listing was not taken over; empty: it was
  amount   integer     not null default 0,  -- how many rows do not fit, or how many people would have become inactive
  constraint directory_follows_pkey primary key (org_id),
  constraint directory_follows_org_fkey foreign key (org_id) references orgs (org_id),
  constraint directory_follows_refused_check check (refused in ('', 'rows', 'leaving'))
);

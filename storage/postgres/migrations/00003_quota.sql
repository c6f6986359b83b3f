-- +goose Up

-- How many calls of a platform's API a firm has used up in a month: some vendors count them and stop answering at the end of it.
create table api_calls (
  org_id   uuid   not null,
  platform text   not null,
  month    date   not null, -- its first day
  calls    bigint not null,
  constraint api_calls_pkey primary key (org_id, platform, month),
  constraint api_calls_org_fkey foreign key (org_id) references orgs (org_id)
);

-- Reminders may wait and go as one message. nudge_of is the person of such a delivery; gathered_into is the delivery whose message it is
-- a part of, its own id when it leads.
alter table deliveries add column nudge_of uuid;
alter table deliveries add column gathered_into uuid;

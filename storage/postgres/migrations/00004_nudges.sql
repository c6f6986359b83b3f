-- +goose NO TRANSACTION
-- +goose Up

-- Who of a person's reminders wait. Deliveries are many and written to all the time, so the index is built beside them; one that was
-- begun and not finished is built again.
drop index concurrently if exists deliveries_nudges_idx;
create index concurrently deliveries_nudges_idx on deliveries (org_id, nudge_of, due_at) where nudge_of is not null;

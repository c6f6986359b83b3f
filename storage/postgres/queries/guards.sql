-- What goes first in every unit of work.

-- name: AssertDirectory :exec
select assert_directory(@org_id, @version);

-- name: TakeEvent :exec
insert into inbox (org_id, event, received_at) values (@org_id, @event, @received_at);

-- name: RaiseDirectory :exec
select raise_directory(@org_id, @version);

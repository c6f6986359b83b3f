-- What goes first in every unit of work. The comparison stands in the statement because calling a function for it costs a praise a
-- tenth of its time; the function is called to refuse.

-- name: AssertDirectory :exec
select case when (select o.directory_version from orgs o where o.org_id = @org_id) = @version::bigint then ''
  else assert_directory(@org_id, @version)::text end;

-- name: TakeEvent :exec
insert into inbox (org_id, event, received_at) values (@org_id, @event, @received_at);

-- name: RaiseDirectory :exec
select raise_directory(@org_id, @version);

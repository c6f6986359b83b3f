package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/internal/fault"
	"huiyin/internal/people"
)

// lister is a platform whose members can be listed.
type lister interface {
	bot.Directory
	Name() string
}

// accounts keeps what is known of a platform's accounts up to date: all of them at the start and every few hours, single ones when the
// platform tells that they changed. It also finds out which workspace is ours. Nobody waits for it: a platform that is away does not
// keep the bot from starting.
type accounts struct {
	from    lister
	org     people.Org
	store   people.Store
	cache   *people.Cache
	service *people.Service
	log     *slog.Logger
	now     func() time.Time
	release func(ctx context.Context, now time.Time, states ...people.State) (int, error)
	wanted  chan struct{} // a listing is asked for

	untaken  []people.AccountSeen // the last listing, while it could not be taken over
	listedAt time.Time
}

func newAccounts(a *App, from lister) *accounts {
	return &accounts{
		from: from, org: a.org, store: a.db.People, cache: a.cache, service: a.service, now: a.now,
		release: a.db.Deliveries.ReleaseKnown, log: a.log.With("platform", from.Name()), wanted: make(chan struct{}, 1),
	}
}

// Pauses between tries to list accounts.
const (
	firstPause = 2 * time.Second
	lastPause  = 10 * time.Minute
)

// run lists the accounts now and whenever it is asked to, until ctx ends.
func (s *accounts) run(ctx context.Context) {
	for {
		for pause := firstPause; ; pause = min(2*pause, lastPause) {
			err := s.list(ctx)
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				break
			}
			s.log.WarnContext(ctx, "listing accounts", "error", err, "again_in", pause)
			if !wait(ctx, pause) {
				return
			}
		}
		select {
		case <-s.wanted:
		case <-ctx.Done():
			return
		}
	}
}

// ask wants a listing soon. It is a task of the schedules, which see to it that one of all processes lists.
func (s *accounts) ask(context.Context, uuid.UUID, time.Time) error {
	select {
	case s.wanted <- struct{}{}:
	default: // one is wanted already
	}
	return nil
}

// wait reports whether the time passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *accounts) list(ctx context.Context) error {
	tenant, err := s.from.Tenant(ctx)
	if err != nil {
		return fmt.Errorf("asking for the workspace: %w", err)
	}
	if err := s.store.BindTenant(ctx, s.org.ID, s.from.Name(), tenant); err != nil { // before the listing, which may take a while
		return err
	}
	seen, err := listed(ctx, s.from)
	switch {
	case errors.Is(err, bot.ErrNotYet):
		if seen = s.untaken; seen == nil || s.now().Sub(s.listedAt) > untakenFor {
			return nil
		}
	case err != nil:
		return err
	default:
		s.untaken, s.listedAt = seen, s.now()
	}
	if err := s.follow(ctx, seen, true); err != nil {
		return err
	}
	changed, err := s.sync(ctx, seen)
	if err == nil {
		s.untaken = nil
		s.log.InfoContext(ctx, "accounts listed", "count", len(seen), "changed", changed)
	}
	return err
}

// untakenFor is how long a listing that could not be taken over still says who is there. A platform may not list again for days.
const untakenFor = time.Hour

// changed takes over one account that the platform says is new or different.
func (s *accounts) changed(ctx context.Context, a bot.Account) {
	seen := []people.AccountSeen{accountSeen(a)}
	err := s.follow(ctx, seen, false)
	if err == nil {
		_, err = s.sync(ctx, seen)
	}
	if err != nil {
		s.log.WarnContext(ctx, "taking over a changed account", "error", err) // the next listing will
	}
}

// syncTries bounds how often a sync is decided anew because the directory changed under it.
const syncTries = 5

func (s *accounts) sync(ctx context.Context, seen []people.AccountSeen) (int, error) {
	for try := 1; ; try++ {
		dir, err := s.cache.Refresh(ctx, s.org.ID)
		if err != nil {
			return 0, err
		}
		cause := people.Cause{OrgID: s.org.ID, Directory: dir.Version(), At: s.now()}
		n, err := s.service.SyncAccounts(ctx, dir, cause, s.from.Name(), seen)
		if err == nil && n > 0 { // who waits for something is asked whether a new account is theirs
			_, err = s.release(ctx, s.now(), people.Confirmed, people.Proposed)
		}
		if !fault.Is(err, fault.Stale) || try == syncTries {
			return n, err
		}
	}
}

// follow takes over what the directory says of people, if the firm follows this one. What does not fit is refused as a whole: the log says
// which accounts, the doctor that it happened.
func (s *accounts) follow(ctx context.Context, seen []people.AccountSeen, whole bool) error {
	f, err := s.store.Following(ctx, s.org.ID)
	if err != nil || f.Platform != s.from.Name() {
		return err
	}
	f.TriedAt, f.Refused, f.Amount = s.now(), people.Taken, 0
	listed, plan, problems, err := s.takeOver(ctx, seen, whole)
	if n := len(listed.Waits); n > 0 {
		s.log.InfoContext(ctx, "accounts wait until somebody with their address says that they are theirs", "accounts", n)
	}
	switch {
	case len(problems) > 0:
		f.Refused, f.Amount = people.RowsUnfit, len(problems)
		s.refuse(ctx, listed, problems)
	case isLeaving(err):
		f.Refused, f.Amount = people.TooManyLeave, plan.Leaving()
		s.log.ErrorContext(ctx, "the directory is not followed: too many would leave at once", "leaving", plan.Leaving())
	case err != nil:
		return err
	case !plan.Empty():
		s.log.InfoContext(ctx, "people follow the directory", "new", len(plan.Create), "changed", len(plan.Update), "left", plan.Leaving(), "accounts", len(plan.Identities))
		if _, err := s.release(ctx, s.now(), people.Confirmed, people.Proposed); err != nil {
			return err
		}
	}
	if !whole { // what became of one account says nothing of the directory
		return nil
	}
	return s.store.TriedFollowing(ctx, f)
}

func isLeaving(err error) bool {
	f, ok := fault.Of(err)
	return ok && f.Key == people.LeavingKey
}

func (s *accounts) takeOver(ctx context.Context, seen []people.AccountSeen, whole bool) (people.Listing, people.Plan, []people.Problem, error) {
	for try := 1; ; try++ {
		dir, err := s.cache.Refresh(ctx, s.org.ID)
		if err != nil {
			return people.Listing{}, people.Plan{}, nil, err
		}
		listed := people.ListedPeople(dir, s.from.Name(), seen, whole)
		cause := people.Cause{OrgID: s.org.ID, Directory: dir.Version(), At: s.now()}
		plan, problems, err := s.service.Follow(ctx, dir, cause, listed, newID)
		if !fault.Is(err, fault.Stale) || try == syncTries {
			return listed, plan, problems, err
		}
	}
}

// rowsLogged is how many rows of a directory that does not fit are logged.
const rowsLogged = 20

func (s *accounts) refuse(ctx context.Context, listed people.Listing, problems []people.Problem) {
	s.log.ErrorContext(ctx, "the directory is not followed: rows do not fit", "rows", len(problems))
	for _, p := range problems[:min(rowsLogged, len(problems))] {
		s.log.ErrorContext(ctx, "a row of the directory does not fit", "account", listed.Account(p.Row), "column", p.Header, "problem", p.Key)
	}
}

// accountSeen is an account of the chat port in the domain's words.
func accountSeen(a bot.Account) people.AccountSeen {
	return people.AccountSeen{
		ExternalID: a.ID, Name: a.Name, Email: a.Email, TimeZone: a.TimeZone, Lang: a.Lang, Kind: people.Kind(a.Kind), Mobile: a.Mobile, EmployeeNo: a.EmployeeNo,
		NameEn: a.NameEn, Title: a.Title, Department: a.Department, Manager: a.Manager, HiredOn: a.HiredOn,
	}
}

// listed are all accounts that a platform lists.
func listed(ctx context.Context, from bot.Directory) ([]people.AccountSeen, error) {
	var seen []people.AccountSeen
	err := from.Accounts(ctx, func(page []bot.Account) error {
		for _, a := range page {
			seen = append(seen, accountSeen(a))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing accounts: %w", err)
	}
	return seen, nil
}

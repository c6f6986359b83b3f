package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"

	"huiyin/bot/slack"
	"huiyin/internal/config"
	"huiyin/internal/fault"
	"huiyin/internal/people"
	"huiyin/internal/sheet"
	"huiyin/storage/postgres"
)

// importPeople is huiyin import people FILE [--dry-run], or --from PLATFORM [--follow] instead of the file.
func importPeople(set *flag.FlagSet) action {
	w := importing{}
	set.BoolVar(&w.dry, "dry-run", false, "cli.import_people.flag.dry_run")
	set.StringVar(&w.from, "from", "", "cli.import_people.flag.from")
	set.BoolVar(&w.follow, "follow", false, "cli.import_people.flag.follow")
	return func(ctx context.Context, c *console, operands []string) error {
		set.Visit(func(f *flag.Flag) { w.decides = w.decides || f.Name == "follow" })
		switch {
		case w.from == "" && len(operands) == 0:
			return &usageError{verb: set.Name(), key: "cli.usage.few", args: map[string]any{"Wanted": "FILE"}}
		case w.from != "" && len(operands) > 0:
			return &usageError{verb: set.Name(), key: "cli.usage.many", args: map[string]any{"Extra": operands[0]}}
		case w.from == "" && w.decides:
			return &usageError{verb: set.Name(), key: "cli.usage.follow"}
		}
		cfg, err := config.Load(c.getenv)
		if err != nil {
			return err
		}
		if w.from == "" {
			if w.table, err = c.readTable(operands[0]); err != nil {
				return err
			}
		}
		d, err := c.open(ctx, cfg, write)
		if err != nil {
			return err
		}
		return errors.Join(c.importPeople(ctx, cfg, d, w), d.close(ctx))
	}
}

// importing is what is imported, and how.
type importing struct {
	dry, follow bool
	decides     bool        // whether the directory is followed from now on was said
	table       sheet.Table // of a file

	from   string // a platform's directory; empty: a file
	tenant string
	seen   []people.AccountSeen
}

// listing is what is imported, as a people file, against the directory.
func (w importing) listing(dir *people.Directory) people.Listing {
	if w.from == "" {
		return people.Listing{Platform: people.SourceFile, Table: w.table}
	}
	return people.ListedPeople(dir, w.from, w.seen, true)
}

// problem is what is wrong with a row, with its place in the file or whom it is about.
func (w importing) problem(l people.Listing, p people.Problem, c *console) string {
	if w.from == "" {
		return p.Text(c.say)
	}
	return l.Text(p, c.say)
}

// lastCount bounds writing down how many calls an import made.
const lastCount = 5 * time.Second

// readDirectory reads everybody whom a platform's directory lists. The calls that it takes count, also when it fails.
func (c *console) readDirectory(ctx context.Context, cfg config.Config, db *postgres.DB, org people.Org, w *importing) (err error) {
	quota, err := newQuota(cfg, db, org, c.now, c.logger(cfg))
	if err != nil {
		return err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCount)
		defer cancel()
		err = errors.Join(err, quota.Tally(end))
	}()
	d := dialer{cfg: cfg, log: slog.New(slog.DiscardHandler), now: c.now, catalog: c.catalog, quota: quota}
	if cfg.RedisURL.Set() { // one in the process of serve is out of reach, and one that is away keeps nobody from importing
		if r, stop, err := openRedis(ctx, cfg); err == nil {
			defer stop()
			d.memory = firmMemory{r.Sessions, org.ID}
		}
	}
	platforms, err := d.open()
	if err != nil {
		return err
	}
	defer func() {
		for _, p := range platforms {
			_ = p.Close(ctx) // it has said nothing
		}
	}()
	at := slices.IndexFunc(platforms, func(p connected) bool { return p.Name() == w.from && w.from != slack.Name })
	if at < 0 {
		return fault.New(fault.NotFound, "cli.import.from.off", "Platform", w.from)
	}
	if w.tenant, err = platforms[at].Tenant(ctx); err != nil {
		return err
	}
	w.seen, err = listed(ctx, platforms[at])
	return err
}

// readTable reads a file of any format that we know; "-" is standard input.
func (c *console) readTable(name string) (sheet.Table, error) {
	if name == "-" {
		return sheet.Read(c.in, sheet.DefaultLimits())
	}
	f, err := os.Open(name)
	if err != nil {
		return sheet.Table{}, fmt.Errorf("opening the file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return sheet.Table{}, fmt.Errorf("opening the file: %w", err)
	}
	bar := c.bar(c.say.T("cli.import.reading", "File", filepath.Base(name)), info.Size())
	defer bar.end()
	return sheet.Read(io.TeeReader(f, bar), sheet.DefaultLimits())
}

func (c *console) importPeople(ctx context.Context, cfg config.Config, d *database, w importing) error {
	if err := d.schema(ctx, cfg); err != nil {
		return err
	}
	org, err := ensureOrg(ctx, d.DB, cfg, "")
	if err != nil {
		return err
	}
	if w.from != "" {
		if err := c.readDirectory(ctx, cfg, d.DB, org, &w); err != nil {
			return err
		}
	}
	listing, plan, problems, err := takeOver(ctx, d.DB, org, w, c.now())
	if fault.Is(err, fault.Stale) {
		return fault.New(fault.Conflict, "cli.import.changed_meanwhile").Because(err)
	}
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		for i, p := range problems {
			if i == problemsShown {
				fmt.Fprintln(c.err, "…")
				break
			}
			fmt.Fprintln(c.err, w.problem(listing, p, c))
		}
		fmt.Fprintln(c.err, c.say.T("cli.import.problems", "Count", len(problems)))
		return errTold
	}
	c.tell("cli.import.counts", "New", len(plan.Create), "Changed", len(plan.Update), "Unchanged", plan.Unchanged, "Accounts", len(plan.Identities))
	if plan.Leaving() > 0 {
		c.tell("cli.import.leaving", "Count", plan.Leaving())
	}
	for _, wait := range listing.Waits[:min(problemsShown, len(listing.Waits))] {
		c.tell("cli.import.waits", "Who", wait.Account.Name, "Account", wait.Account.ExternalID, "Name", wait.Person.Name, "Number", wait.Person.EmployeeNo)
	}
	if w.dry {
		c.tell("cli.import.dry")
		return nil
	}
	c.tell("cli.import.done")
	return c.following(ctx, d.DB, org, w)
}

// following remembers whether the firm follows the directory, and says what an import means to one that does.
func (c *console) following(ctx context.Context, db *postgres.DB, org people.Org, w importing) error {
	if w.decides {
		f := people.Following{OrgID: org.ID, Since: c.now()}
		key := "cli.import.unfollowed"
		if w.follow {
			f.Platform, f.TriedAt, key = w.from, c.now(), "cli.import.followed"
		}
		if err := db.People.SaveFollowing(ctx, f); err != nil {
			return err
		}
		c.tell(key, "Platform", w.from)
		return nil
	}
	f, err := db.People.Following(ctx, org.ID)
	if err == nil && f.Platform != "" && f.Platform != w.from {
		c.tell("cli.import.follows", "Platform", f.Platform)
	}
	return err
}

const (
	// problemsShown is how many problems are listed: somebody who sees more than that has taken the wrong file.
	problemsShown = 200
	// importTries bounds how often an import is rehearsed anew because the directory changed under it.
	importTries = 5
)

// takeOver imports people into the present directory, or only rehearses it. All or nothing: with problems, or when the directory keeps
// changing, nothing is written. What was held for people who have an account now is sent.
func takeOver(ctx context.Context, db *postgres.DB, org people.Org, w importing, now time.Time) (people.Listing, people.Plan, []people.Problem, error) {
	service := people.Service{Store: db.People}
	for try := 1; ; try++ {
		dir, err := db.People.Load(ctx, org.ID)
		if err != nil {
			return people.Listing{}, people.Plan{}, nil, err
		}
		listing := w.listing(dir)
		if w.dry {
			err := people.Check(dir, people.Operator, people.ImportPeople, uuid.Nil)
			plan, problems := people.Rehearse(dir, listing.Table, people.Operator, newID)
			return listing, plan, problems, err
		}
		cause := people.Cause{OrgID: org.ID, Directory: dir.Version(), At: now, Actor: people.Operator}
		plan, problems, err := service.ImportListed(ctx, dir, cause, listing, newID)
		if fault.Is(err, fault.Stale) && try < importTries {
			continue
		}
		if err != nil || len(problems) > 0 {
			return listing, plan, problems, err
		}
		if w.from != "" {
			err = knowAccounts(ctx, db, org, w, now)
		}
		if err == nil && !(plan.Empty() && len(listing.Waits) == 0) { // who waits for something is asked whether an account is theirs
			_, err = db.Deliveries.ReleaseKnown(ctx, now, people.Confirmed, people.Proposed)
		}
		return listing, plan, nil, err
	}
}

// knowAccounts takes over the accounts themselves, whoever they belong to, and whose workspace it is.
func knowAccounts(ctx context.Context, db *postgres.DB, org people.Org, w importing, now time.Time) error {
	if err := db.People.BindTenant(ctx, org.ID, w.from, w.tenant); err != nil {
		return err
	}
	dir, err := db.People.Load(ctx, org.ID)
	if err != nil {
		return err
	}
	service := people.Service{Store: db.People}
	_, err = service.SyncAccounts(ctx, dir, people.Cause{OrgID: org.ID, Directory: dir.Version(), At: now}, w.from, w.seen)
	if fault.Is(err, fault.Stale) { // somebody else is at it; the next listing tells it all again
		return nil
	}
	return err
}

// importPeople is the same import for a firm that is about to be served.
func (a *App) importPeople(ctx context.Context, file io.Reader) error {
	table, err := sheet.Read(file, sheet.DefaultLimits())
	if err != nil {
		return err
	}
	_, _, problems, err := takeOver(ctx, a.db, a.org, importing{table: table}, a.now())
	if err == nil && len(problems) > 0 {
		return fmt.Errorf("row %d: %s %v", problems[0].Row, problems[0].Key, problems[0].Args)
	}
	return err
}

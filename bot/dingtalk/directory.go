package dingtalk

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"huiyin/bot"
	"huiyin/internal/fault"
)

// DingTalk lists people department by department, a page of a hundred in a call, and tells somebody's manager only when it is asked for
// that one person; and it grants the smallest companies 10,000 calls a month for everything. So a listing is made the more rarely the more
// it costs; between two, events tell of changes. A company of 30 departments is listed every day or two, one of three every
// hour or two; managers are asked for once a week, in a company of 5,000 every fifty days. Together they take less than half of the quota.
const (
	month       = 30 * 24 * time.Hour
	listBudget  = 1_500 // calls a month for departments and their people
	userPage    = 100   // https://help.dingtalk.io/open/development/query-user-details-in-department
	accountPage = 100
	listWaits   = 20 // how often a listing waits for its turn
	directPause = time.Second / 15
)

// chinaTime is what DingTalk's dates are in.
var chinaTime = time.FixedZone("CST", 8*60*60)

// root is the company itself among its departments.
const root = 1

// directory is what is known of the company's people: what the last listing said, with what events have changed. It is for finding a
// person's department and manager, and says nothing of who is there now.
type directory struct {
	listing sync.Mutex // one listing at a time

	mu          sync.Mutex
	people      map[string]user
	departments map[int64]department
	heads       map[int64][]string // of departments
	bosses      bosses
	listed      time.Time
	cost        int // calls of the last listing
}

type department struct {
	ID     int64  `json:"dept_id"`
	Name   string `json:"name"`
	Parent int64  `json:"parent_id"`
}

// user is a person as user/list and user/get tell; only the latter knows the manager.
type user struct {
	ID          string      `json:"userid"`
	Name        string      `json:"name"`
	Title       string      `json:"title"`
	JobNumber   string      `json:"job_number"`
	Mobile      string      `json:"mobile"`
	Email       string      `json:"email"`
	OrgEmail    string      `json:"org_email"`
	Departments []int64     `json:"dept_id_list"`
	Hired       flexibleInt `json:"hired_date"`
	Leader      bool        `json:"leader"` // of the department that was asked for
	Manager     string      `json:"manager_userid"`
	Leads       []struct {
		ID     int64 `json:"dept_id"`
		Leader bool  `json:"leader"`
	} `json:"leader_in_dept"`
}

// Tenant is how the product knows the company: the app's client id. An internal app belongs to one company, and no call tells an app
// which corpId that is.
func (s *DingTalk) Tenant(context.Context) (string, error) { return s.tenant(), nil }

// Check asks DingTalk for a token unless it has one: it gives one for the right credentials alone. The errors are faults of kind Unavailable.
func (s *DingTalk) Check(ctx context.Context) error {
	_, err := s.rest.accessToken(ctx)
	return err
}

// Accounts lists everybody in the company, and those who have left since it last looked. What a listing costs decides how often it is
// made; before that time the error Is bot.ErrNotYet.
func (s *DingTalk) Accounts(ctx context.Context, yield func([]bot.Account) error) error {
	s.known.listing.Lock()
	defer s.known.listing.Unlock()
	if !s.listingDue() {
		return bot.ErrNotYet
	}
	gone, cost, err := s.list(ctx)
	if err != nil {
		return err
	}
	accounts := append(s.accounts(), gone...)
	for page := range slices.Chunk(accounts, accountPage) {
		if err := yield(page); err != nil {
			return err
		}
	}
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	s.known.listed, s.known.cost = s.cfg.Now(), cost
	return nil
}

func (s *DingTalk) listingDue() bool {
	k := &s.known
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.listed.IsZero() || s.cfg.Now().Sub(k.listed) >= time.Duration(k.cost)*(month/listBudget)
}

// accounts are all people known, in order of their ids.
func (s *DingTalk) accounts() []bot.Account {
	k := &s.known
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]bot.Account, 0, len(k.people))
	for _, id := range slices.Sorted(maps.Keys(k.people)) {
		out = append(out, k.account(k.people[id]))
	}
	return out
}

// list reads departments breadth first and the people of each, and gives those who are not there any more, and what it cost.
func (s *DingTalk) list(ctx context.Context) (gone []bot.Account, cost int, err error) {
	calls := &directoryCalls{s: s}
	departments, order, err := calls.departments(ctx)
	if err != nil {
		return nil, 0, err
	}
	people, heads, err := calls.people(ctx, order)
	if err != nil {
		return nil, 0, err
	}
	if err := s.askForManagers(ctx, people); err != nil {
		return nil, 0, err
	}
	k := &s.known
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, u := range k.people {
		if _, there := people[id]; !there {
			gone = append(gone, bot.Account{ID: id, Name: oneLine(u.Name), Kind: bot.Gone})
		}
	}
	slices.SortFunc(gone, func(a, b bot.Account) int { return cmp.Compare(a.ID, b.ID) })
	k.people, k.departments, k.heads = people, departments, heads
	return gone, calls.made, nil
}

// directoryCalls makes the calls of a listing, counts them, and makes them no faster than DingTalk likes.
type directoryCalls struct {
	s    *DingTalk
	made int
}

// departments are all of them, and their ids from the top down.
// https://open.dingtalk.com/document/orgapp/obtain-the-department-list-v2
func (c *directoryCalls) departments(ctx context.Context) (map[int64]department, []int64, error) {
	all := map[int64]department{root: {ID: root}}
	order := []int64{root}
	for i := 0; i < len(order); i++ {
		var below struct {
			Result []department `json:"result"`
		}
		if err := c.call(ctx, "department/listsub", map[string]any{"dept_id": order[i]}, &below); err != nil {
			return nil, nil, err
		}
		for _, d := range below.Result {
			if _, seen := all[d.ID]; seen || d.ID == 0 {
				continue
			}
			d.Parent = order[i]
			all[d.ID] = d
			order = append(order, d.ID)
		}
	}
	return all, order, nil
}

// people are those of all departments, each once, and who leads which department.
// https://open.dingtalk.com/document/orgapp/queries-the-complete-information-of-a-department-user
func (c *directoryCalls) people(ctx context.Context, departments []int64) (map[string]user, map[int64][]string, error) {
	all, heads := map[string]user{}, map[int64][]string{}
	for _, id := range departments {
		for cursor := int64(0); ; {
			var page struct {
				Result struct {
					More bool   `json:"has_more"`
					Next int64  `json:"next_cursor"`
					List []user `json:"list"`
				} `json:"result"`
			}
			if err := c.call(ctx, "user/list", map[string]any{"dept_id": id, "cursor": cursor, "size": userPage}, &page); err != nil {
				return nil, nil, err
			}
			for _, u := range page.Result.List {
				if u.ID == "" {
					continue
				}
				if u.Leader {
					heads[id] = append(heads[id], u.ID)
				}
				if len(u.Departments) == 0 {
					u.Departments = append(all[u.ID].Departments, id)
				}
				all[u.ID] = u
			}
			if !page.Result.More || page.Result.Next <= cursor {
				break
			}
			cursor = page.Result.Next
		}
	}
	return all, heads, nil
}

// call makes one call of the directory. When DingTalk asks for a little patience it waits, for a listing that began anew each time would
// never end; every other failure is the caller's to retry.
func (c *directoryCalls) call(ctx context.Context, name string, body, out any) error {
	for waits := 0; ; {
		if c.made++; c.made > 10 {
			if err := wait(ctx, directPause); err != nil {
				return away("dingtalk.away", name, err, 0)
			}
		}
		err := c.s.rest.call(ctx, request{name: name, method: http.MethodPost, path: "/topapi/v2/" + name, old: true, body: body}, out)
		f, isFault := fault.Of(err)
		if waits++; err == nil || !isFault || f.RetryAfter <= 0 || f.RetryAfter > 10*time.Second || waits > listWaits {
			return err
		}
		if wait(ctx, f.RetryAfter) != nil {
			return err
		}
	}
}

// user is one person with everything. https://help.dingtalk.io/open/development/query-user-details
func (c *directoryCalls) user(ctx context.Context, id string) (user, error) {
	var got struct {
		Result user `json:"result"`
	}
	if err := c.call(ctx, "user/get", map[string]any{"userid": id, "language": "zh_CN"}, &got); err != nil {
		return user{}, err
	}
	if got.Result.ID == "" {
		got.Result.ID = id
	}
	return got.Result, nil
}

// account is a person in the port's words.
func (k *directory) account(u user) bot.Account {
	a := bot.Account{
		ID: u.ID, Name: oneLine(u.Name), Email: orElse(u.OrgEmail, u.Email), Kind: bot.Member, Mobile: u.Mobile, EmployeeNo: u.JobNumber,
		Title: oneLine(u.Title), Department: k.path(u), Manager: k.manager(u),
	}
	if at := u.Hired.time(time.Time{}); !at.IsZero() {
		a.HiredOn = at.In(chinaTime).Format(time.DateOnly)
	}
	return a
}

// path is a person's first department below the company, with those above it.
func (k *directory) path(u user) string {
	for _, id := range u.Departments {
		var names []string
		for d, ok := k.departments[id]; ok && d.ID != root && len(names) < 50; d, ok = k.departments[d.Parent] {
			names = append(names, strings.ReplaceAll(oneLine(d.Name), "/", "／"))
		}
		if len(names) > 0 {
			slices.Reverse(names)
			return strings.Join(names, "/")
		}
	}
	return ""
}

// manager is whom the company's console names as somebody's manager, or else who leads their department or the next above.
func (k *directory) manager(u user) string {
	if boss := orElse(u.Manager, k.bosses[u.ID].ID); boss != "" && boss != u.ID {
		return boss
	}
	for _, id := range u.Departments {
		above := 0
		for d, ok := k.departments[id]; ok && above < 50; d, ok = k.departments[d.Parent] {
			above++
			if heads := k.heads[d.ID]; len(heads) > 0 && !slices.Contains(heads, u.ID) {
				return heads[0]
			}
			if d.ID == root {
				break
			}
		}
	}
	return ""
}

// Account is one account of the directory, freshly asked for. It costs one call.
func (s *DingTalk) Account(ctx context.Context, id string) (bot.Account, error) {
	u, err := (&directoryCalls{s: s}).user(ctx, id)
	if err != nil {
		return bot.Account{}, err
	}
	k := &s.known
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.people != nil {
		k.people[u.ID] = u
		k.bosses[u.ID] = boss{ID: u.Manager, At: s.cfg.Now().Unix()}
		for d := range k.heads {
			k.heads[d] = slices.DeleteFunc(slices.Clone(k.heads[d]), func(head string) bool { return head == u.ID })
		}
		for _, lead := range u.Leads {
			if lead.Leader {
				k.heads[lead.ID] = append(k.heads[lead.ID], u.ID)
			}
		}
	}
	return k.account(u), nil
}

// refresh passes on people who joined, changed or left.
func (s *DingTalk) refresh(ctx context.Context, d delivery) error {
	if s.cfg.Refresh == nil {
		return nil
	}
	for _, id := range d.changed {
		a := bot.Account{ID: id, Kind: bot.Gone}
		if !d.gone {
			got, err := s.Account(ctx, id)
			switch {
			case err == nil:
				a = got
			case !fault.Is(err, fault.NotFound):
				return fmt.Errorf("asking for a changed account: %w", err)
			}
		}
		if a.Kind == bot.Gone {
			s.forgetPerson(&a)
		}
		s.cfg.Refresh(ctx, a)
	}
	return nil
}

func (s *DingTalk) forgetPerson(a *bot.Account) {
	k := &s.known
	k.mu.Lock()
	defer k.mu.Unlock()
	a.Name = oneLine(k.people[a.ID].Name)
	delete(k.people, a.ID)
}

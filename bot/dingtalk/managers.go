package dingtalk

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"huiyin/internal/fault"
)

// DingTalk tells somebody's manager only when it is asked for that one person. So every answer is kept, with its time, until it is old:
// here, and for processes that start later or beside this one.
const (
	askBudget  = 3_000 // calls a month for single people
	askAtMost  = 7 * 24 * time.Hour
	askGivesUp = 3 // failures in a row after which DingTalk is not asked for more
	bossesKept = 90 * 24 * time.Hour
	bossesKey  = "dingtalk.managers"
	bossesTime = 5 * time.Second // bounds keeping them
)

// boss is somebody's manager, as DingTalk told.
type boss struct {
	ID     string `json:"id,omitempty"`     // of the manager; empty: there is none
	At     int64  `json:"at,omitempty"`     // when it told, in Unix seconds; 0: it never has
	Failed int64  `json:"failed,omitempty"` // when it last would not tell, if that was later
}

// bosses are the managers that were asked for, by the staff id of whom they manage.
type bosses map[string]boss

// learn takes over whatever is newer.
func (b bosses) learn(other bosses) {
	for id, o := range other {
		if mine, ok := b[id]; !ok || max(o.At, o.Failed) > max(mine.At, mine.Failed) {
			b[id] = o
		}
	}
}

// askForManagers asks for the managers of those people of whom it is not known, or has not been asked for long. Who leads the department
// stands in for what DingTalk does not tell. An error is for the end of ctx alone; what was told until then is kept as well.
func (s *DingTalk) askForManagers(ctx context.Context, people map[string]user) error {
	have := s.bosses(ctx)
	due := s.due(have, people)
	calls := &directoryCalls{s: s}
	failures := 0
	for _, id := range due {
		if ctx.Err() != nil || failures == askGivesUp {
			break
		}
		u, err := calls.user(ctx, id)
		switch now := s.cfg.Now().Unix(); {
		case err == nil:
			failures = 0
			have[id] = boss{ID: u.Manager, At: now}
		case fault.Is(err, fault.NotFound):
			have[id] = boss{At: now}
		case ctx.Err() == nil:
			failures++
			have[id] = boss{ID: have[id].ID, At: have[id].At, Failed: now}
			s.cfg.Log.WarnContext(ctx, "asking dingtalk for a manager; the head of the department stands in", "error", err)
		}
	}
	s.knowBosses(have, people)
	if calls.made > 0 {
		s.keepBosses(context.WithoutCancel(ctx), people)
	}
	if ctx.Err() != nil {
		return away("dingtalk.away", "user/get", ctx.Err(), 0)
	}
	return nil
}

// due are the people to ask for, those last for whom DingTalk had no answer the last time: they must not keep others from theirs.
func (s *DingTalk) due(have bosses, people map[string]user) []string {
	now, lasts := s.cfg.Now(), max(askAtMost, time.Duration(len(people))*(month/askBudget))
	var out []string
	for _, id := range slices.Sorted(maps.Keys(people)) {
		if at := have[id].At; at == 0 || now.Sub(time.Unix(at, 0)) >= lasts {
			out = append(out, id)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(have[a].Failed, have[b].Failed) })
	return out
}

// bosses are the managers as far as they are known, here or to another process.
func (s *DingTalk) bosses(ctx context.Context) bosses {
	out := bosses{}
	s.known.mu.Lock()
	out.learn(s.known.bosses)
	s.known.mu.Unlock()
	if s.cfg.Sessions == nil {
		return out
	}
	raw, ok, err := s.cfg.Sessions.Get(ctx, bossesKey)
	var stored bosses
	if err != nil || !ok || json.Unmarshal(raw, &stored) != nil {
		return out
	}
	out.learn(stored)
	return out
}

// knowBosses remembers the managers of people here. Events may have told of some meanwhile.
func (s *DingTalk) knowBosses(b bosses, people map[string]user) {
	k := &s.known
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.bosses == nil {
		k.bosses = bosses{}
	}
	k.bosses.learn(b)
	maps.DeleteFunc(k.bosses, func(id string, _ boss) bool { _, there := people[id]; return !there })
}

// keepBosses keeps who manages whom, by ids alone, together with what another process has kept meanwhile.
func (s *DingTalk) keepBosses(ctx context.Context, people map[string]user) {
	if s.cfg.Sessions == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, bossesTime)
	defer cancel()
	all := s.bosses(ctx)
	maps.DeleteFunc(all, func(id string, _ boss) bool { _, there := people[id]; return !there })
	raw, err := encode(all)
	if err == nil {
		err = s.cfg.Sessions.Put(ctx, bossesKey, raw, bossesKept)
	}
	if err != nil {
		s.cfg.Log.WarnContext(ctx, "managers are not kept", "error", err)
	}
}

package app

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"huiyin/bot/dingtalk"
	"huiyin/bot/slack"
	"huiyin/internal/config"
	"huiyin/internal/fault"
	"huiyin/internal/people"
)

// askWithin is how long a vendor may take to say whose the credentials are.
const askWithin = 20 * time.Second

// chats asks the platforms but Slack, which can be asked more, whose their credentials are.
func (e *examination) chats(ctx context.Context, cfg config.Config) {
	log := slog.New(slog.DiscardHandler)
	platforms, err := dialer{cfg: cfg, log: log, now: e.c.now, catalog: e.c.catalog}.open()
	if err != nil {
		e.bad("cli.doctor.chat.broken", "cli.doctor.chat.broken.do", "Why", err.Error())
	}
	on := map[string]bool{}
	for _, p := range platforms {
		on[p.Name()] = true
		if p.Name() != slack.Name {
			e.chat(ctx, cfg, p)
		}
		_ = p.Close(ctx) // it has said nothing
	}
	for _, name := range []string{"feishu", "dingtalk"} {
		if err == nil && !on[name] {
			e.note("cli.doctor.chat.off", "Platform", name)
		}
	}
}

// checked is a platform that says whose the credentials are without asking the vendor, and asks when it is checked.
type checked interface {
	Check(ctx context.Context) error
}

func (e *examination) chat(ctx context.Context, cfg config.Config, p connected) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	var err error
	if c, ok := p.adapter.(checked); ok {
		err = c.Check(ctx)
	}
	tenant := ""
	if err == nil {
		tenant, err = p.Tenant(ctx)
	}
	if err != nil {
		e.bad("cli.doctor.chat.bad", "cli.doctor.chat.bad.do", "Platform", p.Name(), "Why", e.sentence(err))
		return
	}
	e.ok("cli.doctor.chat.ok", "Platform", p.Name(), "Tenant", tenant)
	if p.Name() == dingtalk.Name && pagesNowhere(cfg) {
		e.note("cli.doctor.dingtalk.pages", "URL", cfg.PublicURL)
		e.do("cli.doctor.dingtalk.pages.do")
	}
}

// sentence is an error in words: a fault's own, with what the vendor or the network said.
func (e *examination) sentence(err error) string {
	f, ok := fault.Of(err)
	if !ok {
		return err.Error()
	}
	text := e.c.say.With(f.Key, f.Args)
	if because := errors.Unwrap(f); because != nil {
		text += " (" + because.Error() + ")"
	}
	return text
}

// remembered is a fault in words as a delivery remembers it: kind and key, without what stood in it.
func (e *examination) remembered(stored string) string {
	kind, key, isFault := strings.Cut(stored, ": ")
	if !isFault {
		kind, key = stored, "cli.doctor.fault."+stored
	}
	if !e.c.catalog.Has(key) {
		return stored
	}
	text := notRemembered.ReplaceAllString(e.c.say.T(key), "")
	if strings.Contains(text, noValue) { // a sentence around something that is not remembered
		return stored
	}
	if isFault {
		return text + " (" + kind + ": " + key + ")"
	}
	return text
}

// noValue stands in a sentence in the place of what it was not given; nearly always that is in brackets, such as the vendor's code.
const noValue = "<no value>"

var notRemembered = regexp.MustCompile(` ?[(（][^()（）]*` + noValue + `[^()（）]*[)）]`)

// following says how the firm's people follow a platform's directory.
func (e *examination) following(f people.Following) {
	if f.Platform == "" {
		return
	}
	switch since := e.c.now().Sub(f.TriedAt); {
	case f.Refused == people.RowsUnfit:
		e.bad("cli.doctor.follow.rows", "cli.doctor.follow.do", "Platform", f.Platform, "Count", f.Amount)
	case f.Refused == people.TooManyLeave:
		e.bad("cli.doctor.follow.leaving", "cli.doctor.follow.do", "Platform", f.Platform, "Count", f.Amount)
	case since > staleListing(f.Platform):
		e.bad("cli.doctor.follow.late", "cli.doctor.follow.late.do", "Platform", f.Platform, "Hours", int(since.Hours()))
	default:
		e.ok("cli.doctor.follow.ok", "Platform", f.Platform, "Time", f.TriedAt.In(time.Local).Format(time.DateTime))
	}
}

// staleListing is from when on a directory that is followed has not been read for too long. They are read every six hours; DingTalk's is
// read the more rarely the more calls it takes, that of a company with hundreds of departments twice a month.
func staleListing(platform string) time.Duration {
	if platform == dingtalk.Name {
		return 31 * 24 * time.Hour
	}
	return 25 * time.Hour
}

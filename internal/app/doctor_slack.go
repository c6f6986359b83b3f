package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"huiyin/bot/slack"
	"huiyin/internal/config"
)

// slack asks who the token belongs to and what it may do.
func (e *examination) slack(ctx context.Context, cfg config.Config) {
	if !cfg.Slack.On() {
		e.note("cli.doctor.slack.off")
		e.do("cli.doctor.slack.off.do")
		return
	}
	if !strings.HasPrefix(cfg.Slack.BotToken.Reveal(), "xoxb-") {
		e.note("cli.doctor.slack.prefix")
		e.do("cli.doctor.slack.prefix.do")
	}
	if !cfg.Slack.AppToken.Set() && !strings.HasPrefix(cfg.PublicURL, "https://") {
		e.note("cli.doctor.slack.http", "URL", cfg.PublicURL)
		e.do("cli.doctor.slack.http.do")
	}
	tenant, granted, err := authTest(ctx, cfg.Slack)
	if err != nil {
		e.bad("cli.doctor.slack.bad", "cli.doctor.slack.bad.do", "Why", err.Error(), "URL", cfg.Slack.APIURL)
		return
	}
	e.ok("cli.doctor.slack.ok", "Tenant", tenant)
	missing := slices.DeleteFunc(slack.Scopes(), func(s string) bool { return slices.Contains(granted, s) })
	if len(granted) > 0 && len(missing) > 0 {
		e.bad("cli.doctor.slack.scopes", "cli.doctor.slack.scopes.do", "Scopes", strings.Join(missing, ", "))
	}
	if e.migrated && !slices.Contains(e.tenants, tenant) {
		e.note("cli.doctor.slack.unbound", "Tenant", tenant)
		e.do("cli.doctor.slack.unbound.do")
	}
}

// authTest is Slack's auth.test: the workspace, and the scopes that were granted, which only its header tells. The adapter has no use for
// them. https://docs.slack.dev/reference/methods/auth.test
func authTest(ctx context.Context, cfg config.Slack) (tenant string, scopes []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, cfg.APIURL+"auth.test", nil)
	if err != nil {
		return "", nil, fmt.Errorf("asking auth.test: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+cfg.BotToken.Reveal())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		OK     bool   `json:"ok"`
		Error  string `json:"error"`
		TeamID string `json:"team_id"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&answer); err != nil {
		return "", nil, fmt.Errorf("HTTP %d: %w", resp.StatusCode, err)
	}
	if !answer.OK {
		return "", nil, errors.New("auth.test: " + answer.Error)
	}
	for scope := range strings.SplitSeq(resp.Header.Get("X-Oauth-Scopes"), ",") {
		if scope = strings.TrimSpace(scope); scope != "" {
			scopes = append(scopes, scope)
		}
	}
	return answer.TeamID, scopes, nil
}

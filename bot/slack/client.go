package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
)

const (
	deliveryEvent = "huiyin_delivery" // event_type of the metadata that carries a delivery's id
	deliveryKey   = "id"
	historyPage   = 100
	historyPages  = 20 // as far back as Find looks, in pages
	memberPage    = 200
	memberWaits   = 20 // how often a listing of members waits for its turn
	dmCache       = 100_000
)

// identity is who the bot token belongs to.
type identity struct{ team, user, robot string }

// Send posts a card to a person's direct conversation or to a channel. A private card is refused in a channel (R28).
// https://docs.slack.dev/reference/methods/chat.postMessage
func (s *Slack) Send(ctx context.Context, m bot.Message) (bot.Ref, error) {
	if m.To.User == "" && m.Card.Tone == card.Private && !strings.HasPrefix(m.To.Channel, "D") {
		return bot.Ref{}, fault.New(fault.Forbidden, "slack.private")
	}
	drawn, err := Render(m.Card)
	if err != nil {
		return bot.Ref{}, err
	}
	options := messageOptions(drawn)
	if m.Delivery != "" {
		options = append(options, slackapi.MsgOptionMetadata(slackapi.SlackMetadata{
			EventType: deliveryEvent, EventPayload: map[string]any{deliveryKey: m.Delivery},
		}))
	}
	if m.To.User == "" {
		channel, err := s.channel(ctx, m.To)
		if err != nil {
			return bot.Ref{}, err
		}
		return s.post(ctx, channel, options)
	}
	return s.postTo(ctx, m.To.User, options)
}

// postTo posts to a person's conversation with the bot. A user id in the place of the channel opens the conversation on the way: opening
// each with a call of its own would let 50 people a minute be reached (tier 3). The conversation's own id, which changes and
// looks into the history need, comes back with the message.
func (s *Slack) postTo(ctx context.Context, user string, options []slackapi.MsgOption) (bot.Ref, error) {
	ref, err := s.post(ctx, user, options)
	if err == nil && strings.HasPrefix(ref.Channel, "D") {
		s.remember(user, ref.Channel)
	}
	return ref, err
}

// messageOptions are a drawn card and the promise that Slack adds nothing to it: no previews, no links or mentions made of words.
func messageOptions(m Message) []slackapi.MsgOption {
	return []slackapi.MsgOption{
		slackapi.MsgOptionText(m.Text, false), slackapi.MsgOptionBlocks(m.Blocks...), slackapi.MsgOptionParse(false),
		slackapi.MsgOptionDisableLinkUnfurl(), slackapi.MsgOptionDisableMediaUnfurl(),
	}
}

func (s *Slack) post(ctx context.Context, channel string, options []slackapi.MsgOption) (bot.Ref, error) {
	var r reach
	at, ts, err := s.api.PostMessageContext(r.trace(ctx), channel, options...)
	if err := s.translate(ctx, "chat.postMessage", err, &r, true); err != nil {
		return bot.Ref{}, err
	}
	return bot.Ref{Channel: cmp.Or(at, channel), ID: ts}, nil
}

// whisper shows a card to one person in a channel. It is gone when they reload.
// https://docs.slack.dev/reference/methods/chat.postEphemeral
func (s *Slack) whisper(ctx context.Context, channel, user string, options []slackapi.MsgOption) error {
	var r reach
	_, err := s.api.PostEphemeralContext(r.trace(ctx), channel, user, options...)
	return s.translate(ctx, "chat.postEphemeral", err, &r, true)
}

// Update replaces a message of ours. Repeating it does no harm, so an unknown outcome is a fault that may be retried.
// https://docs.slack.dev/reference/methods/chat.update
func (s *Slack) Update(ctx context.Context, ref bot.Ref, c card.Card) error {
	if c.Tone == card.Private && !strings.HasPrefix(ref.Channel, "D") {
		return fault.New(fault.Forbidden, "slack.private")
	}
	drawn, err := Render(c)
	if err != nil {
		return err
	}
	var r reach
	_, _, _, err = s.api.UpdateMessageContext(r.trace(ctx), ref.Channel, ref.ID, messageOptions(drawn)...)
	return s.translate(ctx, "chat.update", err, &r, false)
}

// Find looks for a delivery among our own messages at its address, from a minute before the first attempt on.
// https://docs.slack.dev/reference/methods/conversations.history
func (s *Slack) Find(ctx context.Context, m bot.Message) (bot.Ref, bool, error) {
	me, err := s.identity(ctx)
	if err != nil {
		return bot.Ref{}, false, err
	}
	channel, err := s.channel(ctx, m.To)
	if err != nil {
		return bot.Ref{}, false, err
	}
	params := slackapi.GetConversationHistoryParameters{ChannelID: channel, Limit: historyPage, Inclusive: true, IncludeAllMetadata: true}
	if !m.Since.IsZero() {
		params.Oldest = strconv.FormatInt(m.Since.Add(-time.Minute).Unix(), 10) + ".000000"
	}
	for range historyPages {
		var r reach
		page, err := s.api.GetConversationHistoryContext(r.trace(ctx), &params)
		if err := s.translate(ctx, "conversations.history", err, &r, false); err != nil {
			return bot.Ref{}, false, err
		}
		for _, msg := range page.Messages {
			ours := msg.BotID != "" && msg.BotID == me.robot || msg.User != "" && msg.User == me.user
			if ours && msg.Metadata.EventType == deliveryEvent && msg.Metadata.EventPayload[deliveryKey] == m.Delivery {
				return bot.Ref{Channel: channel, ID: msg.Timestamp}, true, nil
			}
		}
		if params.Cursor = page.ResponseMetaData.NextCursor; params.Cursor == "" {
			return bot.Ref{}, false, nil
		}
	}
	// Not having looked everywhere is not having found nothing: the caller must not send again on it.
	return bot.Ref{}, false, s.away("slack.away", "conversations.history", fmt.Errorf("more than %d messages to look through", historyPage*historyPages), time.Hour)
}

// errShut is for a conversation that may not be opened yet.
var errShut = errors.New("slack asked to wait")

// channel is the id of the conversation that an address means. A person's is asked for once and remembered.
// https://docs.slack.dev/reference/methods/conversations.open
func (s *Slack) channel(ctx context.Context, to bot.Address) (string, error) {
	if to.User == "" {
		if to.Channel == "" {
			return "", fault.New(fault.NotFound, "slack.recipient", "Code", "no_channel")
		}
		return to.Channel, nil
	}
	s.mu.Lock()
	id, ok := s.dms[to.User]
	shut := s.shut.Sub(s.cfg.Now())
	s.mu.Unlock()
	if ok {
		return id, nil
	}
	if shut > 0 {
		return "", s.away("slack.away", "conversations.open", errShut, shut)
	}
	var r reach
	opened, _, _, err := s.api.OpenConversationContext(r.trace(ctx), &slackapi.OpenConversationParameters{Users: []string{to.User}})
	if err := s.translate(ctx, "conversations.open", err, &r, false); err != nil {
		if f, ok := fault.Of(err); ok && f.RetryAfter > 0 {
			s.mu.Lock()
			s.shut = s.cfg.Now().Add(f.RetryAfter)
			s.mu.Unlock()
		}
		return "", err
	}
	if opened == nil || opened.ID == "" {
		return "", s.away("slack.away", "conversations.open", errMalformed, 0)
	}
	s.remember(to.User, opened.ID)
	return opened.ID, nil
}

func (s *Slack) remember(user, channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.dms) >= dmCache {
		clear(s.dms)
	}
	s.dms[user] = channel
}

// identity asks once who the bot token belongs to. https://docs.slack.dev/reference/methods/auth.test
func (s *Slack) identity(ctx context.Context) (identity, error) {
	if me := s.known(); me.team != "" {
		return me, nil
	}
	var r reach
	answer, err := s.api.AuthTestContext(r.trace(ctx))
	if err := s.translate(ctx, "auth.test", err, &r, false); err != nil {
		return identity{}, err
	}
	me := identity{team: answer.TeamID, user: answer.UserID, robot: answer.BotID}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.me = me
	return me, nil
}

// known is who the bot is, as far as somebody has asked.
func (s *Slack) known() identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.me
}

// Tenant is the id of the workspace that the bot token belongs to.
func (s *Slack) Tenant(ctx context.Context) (string, error) {
	me, err := s.identity(ctx)
	return me.team, err
}

// Accounts lists everybody in the workspace, 200 at a time: people, guests, robots and those who left. When Slack asks for patience it
// waits, for a listing that began anew each time would never end; every other failure is the caller's to retry.
// https://docs.slack.dev/reference/methods/users.list
func (s *Slack) Accounts(ctx context.Context, yield func([]bot.Account) error) error {
	me, err := s.identity(ctx)
	if err != nil {
		return err
	}
	pages := s.api.GetUsersPaginated(slackapi.GetUsersOptionLimit(memberPage))
	for waits := 0; ; {
		var r reach
		next, err := pages.Next(r.trace(ctx))
		if next.Done(err) {
			return nil
		}
		if err := s.translate(ctx, "users.list", err, &r, false); err != nil {
			f, ok := fault.Of(err)
			if waits++; !ok || f.RetryAfter <= 0 || waits > memberWaits {
				return err
			}
			if wait(ctx, f.RetryAfter) != nil {
				return err
			}
			continue
		}
		pages = next
		accounts := make([]bot.Account, len(pages.Users))
		for i, u := range pages.Users {
			accounts[i] = accountOf(u, me.team)
		}
		if err := yield(accounts); err != nil {
			return err
		}
	}
}

// Account is one account of the directory. https://docs.slack.dev/reference/methods/users.info
func (s *Slack) Account(ctx context.Context, user string) (bot.Account, error) {
	me, err := s.identity(ctx)
	if err != nil {
		return bot.Account{}, err
	}
	var r reach
	u, err := s.api.GetUserInfoContext(r.trace(ctx), user)
	if err := s.translate(ctx, "users.info", err, &r, false); err != nil {
		return bot.Account{}, err
	}
	return accountOf(*u, me.team), nil
}

// accountOf reads a member of the directory. https://docs.slack.dev/reference/objects/user-object
func accountOf(u slackapi.User, team string) bot.Account {
	a := bot.Account{
		ID: u.ID, Name: tidy(cmp.Or(u.Profile.RealName, u.RealName, u.Profile.DisplayName, u.Name)),
		Email: u.Profile.Email, TimeZone: u.TZ, Lang: u.Locale, Kind: bot.Member,
	}
	elsewhere := u.TeamID != "" && team != "" && u.TeamID != team && u.Enterprise.ID == "" // somebody of another company's in a shared channel
	switch {
	case u.Deleted:
		a.Kind = bot.Gone
	case u.IsBot, u.IsWorkflowBot, u.IsConnectorBot, u.ID == slackbot:
		a.Kind = bot.Robot
	case u.IsRestricted, u.IsUltraRestricted, u.IsStranger, elsewhere:
		a.Kind = bot.Guest
	}
	return a
}

// PublishHome shows a card as a person's home page of the bot. https://docs.slack.dev/reference/methods/views.publish
func (s *Slack) PublishHome(ctx context.Context, user string, c card.Card) error {
	view, err := RenderHome(c)
	if err != nil {
		return err
	}
	var r reach
	_, err = s.api.PublishViewContext(r.trace(ctx), slackapi.PublishViewContextRequest{UserID: user, View: view})
	return s.translate(ctx, "views.publish", err, &r, false)
}

// open, push and replace show a modal. https://docs.slack.dev/surfaces/modals
func (s *Slack) open(ctx context.Context, trigger string, view slackapi.ModalViewRequest) error {
	var r reach
	_, err := s.api.OpenViewContext(r.trace(ctx), trigger, view)
	return s.translate(ctx, "views.open", err, &r, false)
}

func (s *Slack) push(ctx context.Context, trigger string, view slackapi.ModalViewRequest) error {
	var r reach
	_, err := s.api.PushViewContext(r.trace(ctx), trigger, view)
	return s.translate(ctx, "views.push", err, &r, false)
}

func (s *Slack) replace(ctx context.Context, id string, view slackapi.ModalViewRequest) error {
	var r reach
	_, err := s.api.UpdateViewContext(r.trace(ctx), view, "", "", id)
	return s.translate(ctx, "views.update", err, &r, false)
}

// wait waits for a while or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

package feishu

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	larkcore "github.com/larksuite/oapi-sdk-go/v3/core"
	larkim "github.com/larksuite/oapi-sdk-go/v3/service/im/v1"
	larktenant "github.com/larksuite/oapi-sdk-go/v3/service/tenant/v2"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
)

const (
	messages = "/open-apis/im/v1/messages"
	botInfo  = "/open-apis/bot/v3/info"
	openID   = "open_id"
)

// Send posts a card to a person's conversation with the bot or to a group. A private card is refused in a group (R28). The place of
// the Ref is the person's open_id where the message went to a person, so that Update knows who else can see it.
//
// m.Delivery keeps Feishu from sending the message twice within an hour.
// https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/im-v1/message/create.md
func (f *Feishu) Send(ctx context.Context, m bot.Message) (bot.Ref, error) {
	to := orElse(m.To.User, m.To.Channel)
	if to == "" {
		return bot.Ref{}, fault.New(fault.NotFound, "feishu.recipient", "Code", "no_recipient", "Needed", "")
	}
	if m.Card.Tone == card.Private && reach(to) != bot.Direct {
		return bot.Ref{}, fault.New(fault.Forbidden, "feishu.private")
	}
	ref, err := f.sendDrawn(ctx, to, pen{}, m.Card, m.Delivery)
	if strange(err) { // somebody mentioned in it is nobody here: their name is enough
		return f.sendDrawn(ctx, to, pen{silent: true}, m.Card, m.Delivery)
	}
	return ref, err
}

func (f *Feishu) sendDrawn(ctx context.Context, to string, p pen, c card.Card, delivery string) (bot.Ref, error) {
	drawn, err := p.render(c, reach(to))
	if err != nil {
		return bot.Ref{}, err
	}
	return f.post(ctx, to, drawn, delivery)
}

// reach is who sees what is sent to an address: one person when it is a person's.
func reach(to string) bot.PlaceKind {
	if idType(to) == "chat_id" {
		return bot.Channel
	}
	return bot.Direct
}

// idType is the kind of an id, which its beginning tells.
func idType(id string) string {
	switch {
	case strings.HasPrefix(id, "ou_"):
		return openID
	case strings.HasPrefix(id, "on_"):
		return "union_id"
	}
	return "chat_id"
}

func (f *Feishu) post(ctx context.Context, to string, c Card, delivery string) (bot.Ref, error) {
	text, _, err := content(c)
	if err != nil {
		return bot.Ref{}, err
	}
	body := larkim.CreateMessageReqBody{ReceiveId: &to, MsgType: ptr("interactive"), Content: &text}
	if delivery != "" {
		body.Uuid = ptr(once(delivery))
	}
	var sent struct {
		ID   string `json:"message_id"`
		Chat string `json:"chat_id"`
	}
	if err := f.call(ctx, request{
		method: http.MethodPost, path: messages, query: larkcore.QueryParams{"receive_id_type": {idType(to)}}, body: &body, once: true, target: to,
	}, &sent); err != nil {
		return bot.Ref{}, err
	}
	if sent.ID == "" {
		return bot.Ref{}, f.away("feishu.away", messages, errNotJSON, 0)
	}
	return bot.Ref{Channel: to, ID: sent.ID}, nil
}

// once is a delivery's id as a uuid of at most 50 characters.
func once(delivery string) string {
	if len(delivery) <= maxUUID {
		return delivery
	}
	sum := sha256.Sum256([]byte(delivery))
	return hex.EncodeToString(sum[:20])
}

// Update replaces a card of ours, for fourteen days. Repeating it does no harm, so an unknown outcome is a fault that may be retried.
// https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/reference/im-v1/message-card/patch.md
func (f *Feishu) Update(ctx context.Context, ref bot.Ref, c card.Card) error {
	if c.Tone == card.Private && reach(ref.Channel) != bot.Direct {
		return fault.New(fault.Forbidden, "feishu.private")
	}
	err := f.updateDrawn(ctx, ref, pen{}, c)
	if strange(err) {
		return f.updateDrawn(ctx, ref, pen{silent: true}, c)
	}
	return err
}

func (f *Feishu) updateDrawn(ctx context.Context, ref bot.Ref, p pen, c card.Card) error {
	drawn, err := p.render(c, reach(ref.Channel))
	if err != nil {
		return err
	}
	text, _, err := content(drawn)
	if err != nil {
		return err
	}
	return f.call(ctx, request{
		method: http.MethodPatch, path: messages + "/:message_id", params: larkcore.PathParams{"message_id": ref.ID},
		body: &larkim.PatchMessageReqBody{Content: &text}, target: ref.ID,
	}, nil)
}

// Tenant is the key of the firm that the app is installed in.
// https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/tenant-v2/tenant/query.md
func (f *Feishu) Tenant(ctx context.Context) (string, error) {
	var answer struct {
		Tenant larktenant.Tenant `json:"tenant"`
	}
	if err := f.call(ctx, request{method: http.MethodGet, path: "/open-apis/tenant/v2/tenant/query"}, &answer); err != nil {
		return "", err
	}
	if answer.Tenant.TenantKey == nil || *answer.Tenant.TenantKey == "" {
		return "", f.away("feishu.away", "tenant/query", errNotJSON, 0)
	}
	return *answer.Tenant.TenantKey, nil
}

// identity asks once who the bot is. https://open.larkoffice.com/document/uAjLw4CM/ukTMukTMukTM/bot-v3/bot/get.md
func (f *Feishu) identity(ctx context.Context) (robot, error) {
	if me := f.known(); me.openID != "" {
		return me, nil
	}
	var answer struct {
		Bot struct {
			OpenID string `json:"open_id"`
			Name   string `json:"app_name"`
		} `json:"bot"`
	}
	if err := f.call(ctx, request{method: http.MethodGet, path: botInfo, flat: true}, &answer); err != nil {
		return robot{}, err
	}
	me := robot{openID: answer.Bot.OpenID, name: answer.Bot.Name}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.robot = me
	return me, nil
}

// known is who the bot is, as far as somebody has asked.
func (f *Feishu) known() robot {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.robot
}

// askTime is how long a message may wait until it is known who the bot is.
const askTime = 250 * time.Millisecond

// self is who the bot is, for reading an event. Only messages in groups need it: without it their mentions of the bot cannot be told from
// those of others. While it cannot be said, such a message is not served, and Feishu delivers it again.
func (f *Feishu) self(ctx context.Context, e envelope) (robot, error) {
	me := f.known()
	if me.openID != "" || e.Header.Type != messageReceived || !bytes.Contains(e.Event, []byte(`"group"`)) {
		return me, nil
	}
	asked := make(chan error, 1)
	if !f.crew.do(func(ctx context.Context) {
		_, err := f.identity(ctx)
		asked <- err
	}) {
		return me, f.away("feishu.away", botInfo, errNotJSON, 0)
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	select {
	case err := <-asked:
		return f.known(), err
	case <-ctx.Done():
		return me, f.away("feishu.away", botInfo, ctx.Err(), 0)
	}
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

func ptr[T any](v T) *T { return &v }

var errNotJSON = errors.New("an answer that is not what was promised")

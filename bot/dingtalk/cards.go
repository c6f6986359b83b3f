package dingtalk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"huiyin/bot"
	"huiyin/bot/card"
	"huiyin/internal/fault"
)

// routeKey is the name under which card callbacks over HTTP are registered.
const routeKey = "huiyin"

// formKept is how long a card's form is kept, so that it can be drawn again with what is wrong in it.
const formKept = 24 * time.Hour

// callbackRoute is whether DingTalk knows where card callbacks go in webhook mode.
type callbackRoute struct {
	mu   sync.Mutex
	done bool
}

type paramMap struct {
	Params Params `json:"cardParamMap"`
}

// deliverCard makes a card from the template and puts it where an address says. Doing it again with the same track makes no second one.
// https://open.dingtalk.com/document/orgapp/create-and-deliver-cards
func (s *DingTalk) deliverCard(ctx context.Context, to bot.Address, track string, p Params) (bot.Ref, error) {
	if err := s.registerRoute(ctx); err != nil {
		return bot.Ref{}, err
	}
	body := map[string]any{
		"cardTemplateId": s.cfg.CardTemplateID, "outTrackId": track, "callbackType": "STREAM", "cardData": paramMap{p}, "userIdType": 1,
	}
	if s.cfg.Mode == ModeWebhook {
		body["callbackType"], body["callbackRouteKey"] = "HTTP", routeKey
	}
	space := "dtv1.card//IM_GROUP." + to.Channel
	if to.User != "" {
		space = "dtv1.card//IM_ROBOT." + to.User
		body["imRobotOpenSpaceModel"] = map[string]any{"supportForward": false, "lastMessageI18n": map[string]string{"ZH_CN": p[paramLast], "EN_US": p[paramLast]}}
		body["imRobotOpenDeliverModel"] = map[string]any{"spaceType": "IM_ROBOT", "robotCode": s.cfg.RobotCode}
	} else {
		body["imGroupOpenSpaceModel"] = map[string]any{"supportForward": false, "lastMessageI18n": map[string]string{"ZH_CN": p[paramLast], "EN_US": p[paramLast]}}
		body["imGroupOpenDeliverModel"] = map[string]any{"robotCode": s.cfg.RobotCode}
	}
	body["openSpaceId"] = space
	var got struct {
		Result struct {
			Delivers []struct {
				OK *bool `json:"success"`
			} `json:"deliverResults"`
		} `json:"result"`
	}
	err := s.rest.call(ctx, request{name: "createAndDeliver", method: http.MethodPost, path: "/v1.0/card/instances/createAndDeliver", body: body, once: true}, &got)
	if known(err) {
		return bot.Ref{Channel: space, ID: track}, nil
	}
	if err != nil {
		return bot.Ref{}, err
	}
	for _, d := range got.Result.Delivers {
		if d.OK != nil && !*d.OK { // a 200 that delivered nothing; asked again it would say that the card is there
			return bot.Ref{}, fault.New(fault.NotFound, "dingtalk.recipient", "Code", "deliverResults").Because(errNotDelivered)
		}
	}
	return bot.Ref{Channel: space, ID: track}, nil
}

var errNotDelivered = errors.New("a card was made and not delivered")

// known reports whether a card was refused because it is there already: it arrived the first time.
func known(err error) bool {
	var no refusal
	if !errors.As(err, &no) {
		return false
	}
	return no.code == "param.cardAlreadyExist" || no.code == "param.outTrackIdAlreadyExist"
}

// updateCard changes a card. https://open.dingtalk.com/document/orgapp/interactive-card-update-interface
func (s *DingTalk) updateCard(ctx context.Context, track string, p Params) error {
	return s.rest.call(ctx, request{name: "updateCard", method: http.MethodPut, path: "/v1.0/card/instances", body: map[string]any{
		"outTrackId": track, "cardData": paramMap{p}, "cardUpdateOptions": byKey, "userIdType": 1,
	}}, nil)
}

// byKey leaves values alone that an update does not name.
var byKey = map[string]bool{"updateCardDataByKey": true, "updatePrivateDataByKey": true}

// registerRoute tells DingTalk once where card callbacks go and what to sign them with.
// https://open.dingtalk.com/document/orgapp/register-card-callback-address
func (s *DingTalk) registerRoute(ctx context.Context) error {
	if s.cfg.Mode != ModeWebhook {
		return nil
	}
	s.routes.mu.Lock()
	defer s.routes.mu.Unlock()
	if s.routes.done {
		return nil
	}
	err := s.rest.call(ctx, request{name: "registerCallback", method: http.MethodPost, path: "/v1.0/card/callbacks/register", body: map[string]any{
		"callbackRouteKey": routeKey, "callbackUrl": strings.TrimRight(s.cfg.PublicURL, "/") + pathCards, "apiSecret": string(s.verifier.cardSecret()), "forceUpdate": true,
	}}, nil)
	s.routes.done = err == nil
	return err
}

// nonce is a new one.
func nonce() string { return uuid.NewString()[:8] }

// newTrack names a card that answers something.
func newTrack() string { return uuid.Must(uuid.NewV7()).String() }

// trackOf names the card of a delivery.
func trackOf(delivery string) string {
	if delivery == "" || len(delivery) > maxTrack {
		return newTrack()
	}
	return delivery
}

// keep remembers a card's form; without it a form with mistakes in it is only told about.
func (s *DingTalk) keep(ctx context.Context, track string, p Params) {
	if s.cfg.Sessions == nil {
		return
	}
	raw, err := encode(p)
	if err == nil {
		err = s.cfg.Sessions.Put(ctx, formKey(track), raw, formKept)
	}
	if err != nil {
		s.cfg.Log.WarnContext(ctx, "a form of dingtalk's is not kept", "error", err)
	}
}

// kept is the form of a card, if it is still known.
func (s *DingTalk) kept(ctx context.Context, track string) (Params, bool) {
	if s.cfg.Sessions == nil {
		return nil, false
	}
	raw, ok, err := s.cfg.Sessions.Get(ctx, formKey(track))
	if err != nil {
		s.cfg.Log.WarnContext(ctx, "a form of dingtalk's cannot be looked up", "error", err)
	}
	var p Params
	if err != nil || !ok || json.Unmarshal(raw, &p) != nil {
		return nil, false
	}
	return p, true
}

func formKey(track string) string { return "dingtalk.form." + track }

// sendCard draws and delivers a card.
func (s *DingTalk) sendCard(ctx context.Context, to bot.Address, track string, c card.Card, lang string) (bot.Ref, error) {
	if to.User == "" {
		c = withoutActions(c)
	}
	p, err := RenderCard(c, s.words(lang), trackNonce(track))
	if err != nil {
		return bot.Ref{}, err
	}
	return s.deliverCard(ctx, to, track, p)
}

// trackNonce is the nonce of a card's first drawing: the same when it is sent again.
func trackNonce(track string) string {
	if len(track) < 8 {
		return track
	}
	return track[len(track)-8:]
}

// withoutActions is a card for a group, where what a button does would be anybody's.
func withoutActions(c card.Card) card.Card {
	blocks := make([]card.Block, len(c.Blocks))
	for i, b := range c.Blocks {
		switch b := b.(type) {
		case card.Buttons:
			blocks[i] = card.Buttons{Buttons: links(b.Buttons)}
		case card.Items:
			items := make([]card.Item, len(b.Items))
			for n, it := range b.Items {
				it.Buttons = links(it.Buttons)
				items[n] = it
			}
			blocks[i] = card.Items{Items: items}
		default:
			blocks[i] = b
		}
	}
	c.Blocks = blocks
	return c
}

func links(buttons []card.Button) []card.Button {
	var out []card.Button
	for _, b := range buttons {
		if b.URL != "" {
			out = append(out, b)
		}
	}
	return out
}

// Update replaces a card that Send delivered. Without a template nothing that DingTalk shows can be changed.
func (s *DingTalk) Update(ctx context.Context, ref bot.Ref, c card.Card) error {
	group := strings.HasPrefix(ref.Channel, "dtv1.card//IM_GROUP.")
	switch {
	case !s.templated() || !strings.HasPrefix(ref.Channel, "dtv1.card//"):
		return fault.New(fault.Conflict, "dingtalk.message_gone", "Code", "plain")
	case group && c.Tone == card.Private:
		return fault.New(fault.Forbidden, "dingtalk.private")
	case group:
		c = withoutActions(c)
	}
	p, err := RenderCard(c, s.words(langOf(c)), nonce())
	if err != nil {
		return err
	}
	if err := s.updateCard(ctx, ref.ID, p); err != nil {
		return fmt.Errorf("updating a card: %w", err)
	}
	return nil
}

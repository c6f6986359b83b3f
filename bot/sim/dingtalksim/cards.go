package dingtalksim

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"huiyin/bot/sim/backstage"
)

const (
	maxTrackID = 64
	valueBytes = 1024 // documented for a parameter's value; the vendor's own example of a form is longer
	keyBytes   = 100
	spacePath  = "dtv1.card//"
)

// card is one instance. Guarded by Server.mu.
type card struct {
	id         string // outTrackId
	template   *Template
	public     map[string]string
	private    map[string]map[string]string
	fresh      map[string]map[string]string // public data that an answer to a press gave one person only
	callback   string                       // STREAM, HTTP or empty
	routeKey   string
	unionIDs   bool
	recipients []string
	request    string // as it was created, to tell a repetition from another card
	spaces     []string
	updated    time.Time
	pressing   int // callbacks under way
}

// CardView is a card as one person sees it.
type CardView struct {
	OutTrackID string            `json:"out_track_id"`
	Template   string            `json:"template"`
	Chats      []string          `json:"chats"`
	Data       map[string]string `json:"data"` // public variables with the person's own over them
	Parts      []Part            `json:"parts"`
	Updated    time.Time         `json:"updated"`
}

// Card returns a card as one person sees it; nobody sees the public data alone.
func (s *Server) Card(outTrackID, as string) (CardView, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.world.cards[outTrackID]
	if c == nil {
		return CardView{}, false
	}
	vars := c.seen(as)
	return CardView{
		OutTrackID: c.id, Template: c.template.ID, Chats: slices.Clone(c.spaces), Data: vars, Parts: c.template.parts(vars), Updated: c.updated,
	}, true
}

// seen are the variables as one person has them.
func (c *card) seen(user string) map[string]string {
	out := maps.Clone(c.public)
	if own, has := c.fresh[user]; has {
		out = maps.Clone(own)
	}
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, c.private[user])
	return out
}

// params reads a {cardParamMap: {…}} of strings; has is false when there is none, refused when it is no such thing.
func params(v any) (data map[string]string, has, refused bool) {
	if v == nil {
		return nil, false, false
	}
	o, isObject := v.(map[string]any)
	if !isObject {
		return nil, false, true
	}
	if o["cardParamMap"] == nil {
		return nil, false, false
	}
	list, isMap := o["cardParamMap"].(map[string]any)
	if !isMap {
		return nil, false, true
	}
	data = map[string]string{}
	for k, v := range list {
		t, isString := v.(string)
		if !isString {
			return nil, false, true
		}
		data[k] = t
	}
	return data, true, false
}

// variables reads what a card is about to show.
func (i inspection) variables(t *Template, at string, data map[string]string) {
	for _, name := range sorted(data) {
		value, pointer := data[name], at+"/cardParamMap/"+name
		kind, known := t.Variables[name]
		switch {
		case !known && !strings.HasPrefix(name, "sys_"):
			i.find(Should, "card.unknown_variable", pointer, 0)
		case value != "" && !fits(kind, value):
			i.find(Must, "card.variable_type", pointer, backstage.Length(value))
		}
		if len(value) > valueBytes {
			i.find(Should, "card.value_over_1024_bytes", pointer, len(value))
		}
		if len(name) > keyBytes {
			i.find(Should, "card.key_over_100_bytes", pointer, len(name))
		}
		switch kind {
		case TypeMarkdown:
			i.markdown(pointer, value)
		case TypeForm, TypeList, TypeObject:
			i.encoding([]byte(value))
			v, err := backstage.DecodeJSON([]byte(value))
			if err == nil {
				i.strings(pointer, v)
			}
		default:
			i.plain(pointer, value)
		}
	}
}

// strings reads all strings in a value; those under keys that name an address are links.
func (i inspection) strings(at string, v any) {
	switch t := v.(type) {
	case string:
		i.plain(at, t)
	case []any:
		for n, e := range t {
			i.strings(fmt.Sprintf("%s/%d", at, n), e)
		}
	case map[string]any:
		for _, k := range sorted(t) {
			if text, isText := t[k].(string); isText && slices.Contains([]string{"link", "url", "href"}, strings.ToLower(k)) {
				i.link(at+"/"+k, text)
				continue
			}
			i.strings(at+"/"+k, t[k])
		}
	}
}

// space is one place of an openSpaceId.
type space struct{ kind, id string }

// spacesOf reads dtv1.card//TYPE.id;TYPE.id. The vendor's own example writes the types small.
func spacesOf(open string) ([]space, bool) {
	rest, found := strings.CutPrefix(open, spacePath)
	if !found {
		return nil, false
	}
	var out []space
	for _, part := range strings.Split(rest, ";") {
		kind, id, dotted := strings.Cut(part, ".")
		kind = strings.ToUpper(kind)
		if !dotted || id == "" || !slices.Contains([]string{"IM_ROBOT", "IM_GROUP", "IM_SINGLE", "ONE_BOX"}, kind) {
			return nil, false
		}
		out = append(out, space{kind, id})
	}
	return out, true
}

// models checks the space and deliver models that the spaces need. s.mu is held.
func (s *Server) models(q request, spaces []space) *answer {
	no := func(code string) *answer { a := refuse(code, code); return &a }
	for _, sp := range spaces {
		name := map[string]string{"IM_ROBOT": "imRobot", "IM_GROUP": "imGroup"}[sp.kind]
		if name == "" {
			continue // delivered to nowhere here
		}
		model, hasModel := q.json[name+"OpenSpaceModel"].(map[string]any)
		deliver, hasDeliver := q.json[name+"OpenDeliverModel"].(map[string]any)
		code, hasCode := deliver["robotCode"].(string)
		_, hasForward := model["supportForward"].(bool)
		switch {
		case !hasModel || !hasForward:
			return no("param.openSpaceModelInvalid")
		case !hasDeliver:
			return no("param.openDeliverModelEmpty")
		case sp.kind == "IM_ROBOT" && deliver["spaceType"] != "IM_ROBOT":
			return no("param.openDeliverModelError")
		case sp.kind == "IM_GROUP" && !hasCode, deliver["robotCode"] != nil && code != s.opts.RobotCode:
			return no("param.openDeliverModelError")
		}
	}
	return nil
}

// createAndDeliver makes a card and puts it into its places.
// https://open.dingtalk.com/document/development/create-and-deliver-cards
func createAndDeliver(s *Server, q request) answer {
	no := func(code string) answer { return refuse(code, code) }
	id, template := q.str("outTrackId"), s.world.templates[q.str("cardTemplateId")]
	public, hasPublic, badPublic := params(q.json["cardData"])
	callback := q.str("callbackType")
	spaces, validSpace := spacesOf(q.str("openSpaceId"))
	idType, hasType := q.integer("userIdType")
	switch {
	case q.str("cardTemplateId") == "":
		return no("param.cardTemplateIdEmpty")
	case id == "":
		return no("param.outTrackIdEmpty")
	case template == nil:
		return no("param.templateNotExist")
	case backstage.Length(id) > maxTrackID:
		return refuse("param.invalid", "outTrackId is longer than 64")
	case badPublic:
		return refuse("param.invalid", "cardParamMap takes strings only")
	case !hasPublic:
		return no("param.cardPublicDataEmpty")
	case q.json["callbackType"] != nil && callback != "STREAM" && callback != "HTTP":
		return refuse("param.invalid", "callbackType")
	case callback == "HTTP" && q.str("callbackRouteKey") == "":
		return refuse("param.invalid", "callbackRouteKey")
	case q.json["userIdType"] != nil && (!hasType || idType != 1 && idType != 2):
		return refuse("param.invalid", "userIdType")
	case q.str("openSpaceId") == "":
		return no("param.openSpaceIdEmpty")
	case !validSpace:
		return no("param.openSpaceIdInvalid")
	}
	if refusal := s.models(q, spaces); refusal != nil {
		return *refusal
	}
	if before := s.world.cards[id]; before != nil {
		if before.request != string(q.raw) { // the same again is a retry
			f := q.about
			f.Rule, f.Pointer = "card.out_track_id_reused", "/outTrackId"
			s.find(f)
		}
		return no("param.cardAlreadyExist")
	}
	c := &card{
		id: id, template: template, public: public, callback: callback, routeKey: q.str("callbackRouteKey"), unionIDs: idType == 2,
		request: string(q.raw), fresh: map[string]map[string]string{}, updated: s.Now(),
	}
	private, refusal := s.privateData(q.json["privateData"], c.unionIDs)
	if refusal != nil {
		return *refusal
	}
	c.private = private
	inGroup := slices.ContainsFunc(spaces, func(sp space) bool { return sp.kind == "IM_GROUP" })
	i := inspection{s: s, about: q.about, group: inGroup}
	i.encoding(q.raw)
	i.variables(template, "/cardData", public)
	for _, user := range sorted(private) {
		inspection{s: s, about: q.about}.variables(template, "/privateData/"+user, private[user])
	}
	group, _ := q.json["imGroupOpenDeliverModel"].(map[string]any)
	c.recipients, _ = strs(group["recipients"])
	mentions, all := s.cardMentions(group["atUserIds"])
	if all {
		i.find(Must, "text.at_all", "/imGroupOpenDeliverModel/atUserIds", 0)
	}
	s.world.cards[id] = c
	results := []any{}
	for _, sp := range spaces {
		results = append(results, s.putCard(c, sp, mentions, all))
	}
	return ok(map[string]any{"success": true, "result": map[string]any{"outTrackId": id, "deliverResults": results}})
}

// putCard delivers a card into one place; a failure stands in the result alone. s.mu is held.
func (s *Server) putCard(c *card, sp space, mentions []Mention, all bool) map[string]any {
	out := map[string]any{"spaceType": sp.kind, "spaceId": sp.id, "success": false, "carrierId": "", "errorMsg": ""}
	var chat *Chat
	switch sp.kind {
	case "IM_ROBOT":
		p := s.member(sp.id)
		if c.unionIDs {
			p = s.byUnion(sp.id)
		}
		switch {
		case p == nil || p.Inactive:
			out["errorMsg"] = "param.userIdNotExist"
			return out
		default:
			chat = s.own(P2P, p.UserID)
		}
	case "IM_GROUP":
		chat = s.world.chats[sp.id]
		if chat == nil || chat.Kind != Group || chat.Dissolved || !s.hasBot(chat) {
			out["errorMsg"] = "chatbot.notFound"
			return out
		}
	default:
		out["errorMsg"] = "SYSTEM_ERROR"
		return out
	}
	query := backstage.HexID("query", s.world.count("query"))
	m := &Message{
		Chat: chat.ID, Sender: s.opts.RobotCode, Via: ViaCard, Type: "card", Content: "{}", Card: c.id, Query: query,
	}
	if chat.Kind == Group {
		m.Mentions, m.AtAll = mentions, all
	}
	s.say(m)
	c.spaces = append(c.spaces, chat.ID)
	out["success"], out["carrierId"] = true, query
	return out
}

// cardMentions reads atUserIds, userid to name; "@ALL" for both is everybody. s.mu is held.
func (s *Server) cardMentions(v any) (mentions []Mention, all bool) {
	at, _ := v.(map[string]any)
	for _, id := range sorted(at) {
		if strings.EqualFold(id, "@ALL") {
			all = true
			continue
		}
		if p := s.member(id); p != nil {
			mentions = append(mentions, Mention{UserID: id, Name: p.Name})
		}
	}
	return mentions, all
}

// privateData reads privateData, userid to {cardParamMap}. s.mu is held.
func (s *Server) privateData(v any, unionIDs bool) (map[string]map[string]string, *answer) {
	no := func(code, msg string) (map[string]map[string]string, *answer) { a := refuse(code, msg); return nil, &a }
	out := map[string]map[string]string{}
	if v == nil {
		return out, nil
	}
	o, isObject := v.(map[string]any)
	if !isObject {
		return no("param.invalid", "privateData")
	}
	for _, id := range sorted(o) {
		p := s.member(id)
		if unionIDs {
			p = s.byUnion(id)
		}
		data, has, refused := params(o[id])
		switch {
		case p == nil:
			return no("param.userIdNotExist", "param.userIdNotExist")
		case refused:
			return no("param.invalid", "cardParamMap takes strings only")
		case has:
			out[p.UserID] = data
		}
	}
	return out, nil
}

// updateOptions reads cardUpdateOptions: whether given keys are merged into what is there or replace it, which they do unless
// told otherwise.
func updateOptions(v any) (cardByKey, privateByKey bool) {
	o, _ := v.(map[string]any)
	cardByKey, _ = o["updateCardDataByKey"].(bool)
	privateByKey, _ = o["updatePrivateDataByKey"].(bool)
	return cardByKey, privateByKey
}

// merged is what becomes of data.
func merged(old, given map[string]string, byKey bool) map[string]string {
	if !byKey {
		return maps.Clone(given)
	}
	out := maps.Clone(old)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, given)
	return out
}

// updateCard changes a card for everybody who sees it.
// https://open.dingtalk.com/document/development/interactive-card-update-interface
func updateCard(s *Server, q request) answer {
	no := func(code string) answer { return refuse(code, code) }
	public, hasPublic, badPublic := params(q.json["cardData"])
	c := s.world.cards[q.str("outTrackId")]
	idType, _ := q.integer("userIdType")
	switch {
	case q.str("outTrackId") == "":
		return no("param.outTrackIdEmpty")
	case !hasPublic && !badPublic && q.json["privateData"] == nil:
		return no("param.cardDataAndPrivateDataBothEmpty")
	case badPublic:
		return refuse("param.invalid", "cardParamMap takes strings only")
	case c == nil:
		return no("param.cardNotExist")
	}
	private, refusal := s.privateData(q.json["privateData"], idType == 2)
	if refusal != nil {
		return *refusal
	}
	i := inspection{s: s, about: q.about, group: s.shared(c)}
	if c.pressing > 0 {
		i.find(Must, "card.updated_during_callback", "/outTrackId", 0)
	}
	i.encoding(q.raw)
	i.variables(c.template, "/cardData", public)
	cardByKey, privateByKey := updateOptions(q.json["cardUpdateOptions"])
	if hasPublic {
		c.public = merged(c.public, public, cardByKey)
		c.fresh = map[string]map[string]string{}
	}
	for _, user := range sorted(private) {
		inspection{s: s, about: q.about}.variables(c.template, "/privateData/"+user, private[user])
		c.private[user] = merged(c.private[user], private[user], privateByKey)
	}
	s.redrawn(c)
	return ok(map[string]any{"success": true, "result": true})
}

// shared says whether a card stands in a group. s.mu is held.
func (s *Server) shared(c *card) bool {
	return slices.ContainsFunc(c.spaces, func(id string) bool { return s.world.chats[id] != nil && s.world.chats[id].Kind == Group })
}

func (s *Server) redrawn(c *card) {
	c.updated = s.Now().Truncate(time.Millisecond)
	s.changes.Tell(Change{Kind: ChangeCard, Card: c.id})
}

// streamCard replaces one markdown variable. https://open.dingtalk.com/document/development/api-streamingupdate
func streamCard(s *Server, q request) answer {
	no := func(code string) answer { return refuse(code, code) }
	c := s.world.cards[q.str("outTrackId")]
	key, content := q.str("key"), q.str("content")
	full, isFull := q.json["isFull"].(bool)
	switch {
	case c == nil:
		return no("param.stream.outTrackId")
	case q.str("guid") == "":
		return no("param.stream.guidEmpty")
	case key == "":
		return no("param.stream.keyEmpty")
	case content == "":
		return no("param.stream.contentEmpty")
	case !isFull || !full:
		return no("param.stream.isFull")
	}
	i := inspection{s: s, about: q.about, group: s.shared(c)}
	i.variables(c.template, "", map[string]string{key: content})
	c.public = merged(c.public, map[string]string{key: content}, true)
	c.fresh = map[string]map[string]string{}
	s.redrawn(c)
	return ok(map[string]any{"success": true, "result": true})
}

// registerCallback says where the HTTP callbacks of cards with a route key go. A key that is taken stays as it is unless
// forceUpdate is set, and the answer says what it is.
// https://open.dingtalk.com/document/development/register-card-callback-address
func registerCallback(s *Server, q request) answer {
	key, address := q.str("callbackRouteKey"), q.str("callbackUrl")
	u, err := url.Parse(address)
	switch {
	case key == "":
		return refuse("param.invalid", "callbackRouteKey is empty")
	case address == "":
		return refuse("callbackUrl.empty", "callbackUrl is empty")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return refuse("param.invalid", "callbackUrl is no address")
	}
	force, _ := q.json["forceUpdate"].(bool)
	if _, taken := s.world.routes[key]; !taken || force {
		s.world.routes[key] = cardRoute{url: address, secret: q.str("apiSecret")}
	}
	now := s.world.routes[key]
	return ok(map[string]any{"success": true, "result": map[string]any{"callbackUrl": now.url, "apiSecret": now.secret}})
}

package dingtalksim

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Whatever the bot sends, the simulator answers and does not fall over.
func FuzzBodies(f *testing.F) {
	for _, raw := range []string{
		`{}`, `{"robotCode":"dingtest","userIds":["a"],"msgKey":"sampleText","msgParam":"{\"content\":\"a\"}"}`,
		`{"outTrackId":"x","cardTemplateId":"t.schema","cardData":{"cardParamMap":{"form":"{\"fields\":[{\"name\":\"a\"}]}"}},"openSpaceId":"dtv1.card//IM_ROBOT.a"}`,
		`{"msgtype":"actionCard","actionCard":{"title":"a","text":"b","btns":[1,{}]},"at":{"atUserIds":[1]}}`,
		`{"code":200,"headers":{"messageId":"x"},"data":"{}"}`, `{"subscriptions":[1,{"type":2}]}`, `{"fields":[{"name":"a","type":"SELECT","label":"l","options":[{}]}]}`,
	} {
		f.Add([]byte(raw))
	}
	s := New(Options{ClientID: testClient, Limits: Limits{Off: true}, Templates: []Template{FormTemplate("t.schema")}})
	f.Cleanup(s.Close)
	p := s.AddPerson(Person{UserID: "a", Name: "A"})
	chat := s.P2P(p.UserID)
	f.Fuzz(func(t *testing.T, raw []byte) {
		fits(TypeForm, string(raw))
		spacesOf(string(raw))
		s.acknowledge(&socket{}, raw)
		q := request{raw: raw}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(raw))
		r.Header.Set("Content-Type", "application/json")
		q.read(r, route{})
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, rt := range routes() {
			rt.call(s, q)
		}
		s.webhookMessage(Finding{}, q.json, raw, s.world.chats[chat])
		s.world.forget()
		s.found.Clear()
	})
}

package fault

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"huiyin/bot/sim/dingtalksim"
)

const (
	dingClient   = "dingfault00000001"
	dingSecret   = "fault-client-secret"
	dingTemplate = "fa017000-0000-4000-8000-000000000001.schema"
)

// dingVendor is DingTalk with our card template in the firm, or without. Over webhooks DingTalk does not deliver a message again, so that
// is done here, as it does over Stream.
type dingVendor struct {
	sim   *dingtalksim.Server
	base  string
	mode  string
	cards bool
}

func openDingTalk(cards bool) func(t *testing.T, stream bool) vendor {
	return func(t *testing.T, stream bool) vendor {
		t.Helper()
		o := dingtalksim.Options{
			ClientID: dingClient, ClientSecret: dingSecret, Mode: dingtalksim.Webhook, Clock: time.Now, Seed: 1, Keep: 100_000,
			Limits: dingtalksim.Limits{Scale: scale(stream), Grace: 1}, AckTimeout: 3 * time.Second,
		}
		if stream {
			o.Mode = dingtalksim.Stream
		}
		if cards {
			raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", "dingtalk", "card-template.json"))
			if err != nil {
				t.Fatal(err)
			}
			template, err := dingtalksim.ParseTemplate(raw)
			if err != nil {
				t.Fatal(err)
			}
			template.ID = dingTemplate
			o.Templates = []dingtalksim.Template{template}
		}
		sim := dingtalksim.New(o)
		t.Cleanup(sim.Close)
		server := httptest.NewServer(sim.Handler())
		t.Cleanup(server.Close)
		sim.SetBaseURL(server.URL)
		return dingVendor{sim, server.URL, o.Mode, cards}
	}
}

func (v dingVendor) env() []string {
	out := []string{
		"HUIYIN_DINGTALK_CLIENT_ID=" + dingClient, "HUIYIN_DINGTALK_CLIENT_SECRET=" + dingSecret, "HUIYIN_DINGTALK_API_URL=" + v.base,
		"HUIYIN_DINGTALK_OAPI_URL=" + v.base, "HUIYIN_DINGTALK_MODE=" + v.mode, "HUIYIN_DINGTALK_MONTHLY_CALLS=1000000",
	}
	if v.cards {
		out = append(out, "HUIYIN_DINGTALK_CARD_TEMPLATE_ID="+dingTemplate)
	}
	return out
}

func (v dingVendor) reach(address string) { v.sim.SetBotURL(address) }

func (v dingVendor) enroll(id string) {
	v.sim.AddPerson(dingtalksim.Person{UserID: id, Name: strings.ToLower(id), Handle: strings.ToLower(id)})
}

func (v dingVendor) misbehave() {
	faults := []dingtalksim.Fault{{Rate: 0.03, AcceptThenDrop: true}, {Rate: 0.01, RetryAfter: 2}, {Rate: 0.01, Status: 500}}
	v.sim.SetFault("robot.oToMessages.batchSend", faults...)
	v.sim.SetFault("card.instances.createAndDeliver", faults...)
}

func (v dingVendor) praise(author string, receiver, number int) (int, bool, error) {
	_, ack, err := v.sim.Say(author, v.sim.P2P(author), fmt.Sprintf("praise @E%05d praise number %d.", receiver, number))
	return ack.Delivery, ack.Failure == "", err
}

func (v dingVendor) again(delivery int) (int, bool, error) {
	ack, err := v.sim.Redeliver(delivery)
	return ack.Delivery, ack.Failure == "", err
}

func (v dingVendor) connections() int { return v.sim.Sockets() }

func (v dingVendor) conversation(id string) []string {
	var out []string
	for _, m := range v.sim.Messages(v.sim.P2P(id), id) {
		switch {
		case m.Via == dingtalksim.ViaPerson:
		case m.Card != "":
			if c, ok := v.sim.Card(m.Card, id); ok {
				out = append(out, c.Data["title"]+" "+c.Data["markdown"])
			}
		default:
			var content map[string]string
			if json.Unmarshal([]byte(m.Content), &content) == nil {
				out = append(out, content["title"]+" "+content["text"])
			}
		}
	}
	return out
}

func (v dingVendor) objections() []string {
	var out []string
	for _, f := range v.sim.MustFindings() {
		out = append(out, fmt.Sprintf("%+v", f))
	}
	return out
}

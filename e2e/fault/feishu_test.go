package fault

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"huiyin/bot/sim/feishusim"
)

const (
	feishuApp    = "cli_fault00000000001"
	feishuSecret = "fault-app-secret"
	feishuKey    = "fault-encrypt-key"
	feishuToken  = "fault-verification-token"
)

type feishuVendor struct {
	sim  *feishusim.Server
	base string
	mode string
}

func openFeishu(t *testing.T, stream bool) vendor {
	t.Helper()
	mode := feishusim.Webhook
	if stream {
		mode = feishusim.Stream
	}
	sim := feishusim.New(feishusim.Options{
		AppID: feishuApp, AppSecret: feishuSecret, EncryptKey: feishuKey, VerificationToken: feishuToken, Mode: mode,
		Clock: time.Now, Seed: 1, Keep: 100_000, Limits: feishusim.Limits{Scale: scale(stream), Grace: 1}, MentionsInP2P: true,
	})
	t.Cleanup(sim.Close)
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(server.Close)
	sim.SetBaseURL(server.URL)
	return feishuVendor{sim, server.URL, mode}
}

func (v feishuVendor) env() []string {
	return []string{
		"HUIYIN_FEISHU_APP_ID=" + feishuApp, "HUIYIN_FEISHU_APP_SECRET=" + feishuSecret, "HUIYIN_FEISHU_ENCRYPT_KEY=" + feishuKey,
		"HUIYIN_FEISHU_VERIFICATION_TOKEN=" + feishuToken, "HUIYIN_FEISHU_BASE_URL=" + v.base, "HUIYIN_FEISHU_MODE=" + v.mode,
	}
}

func (v feishuVendor) connections() int { return v.sim.Sockets() }

func (v feishuVendor) reach(address string) { v.sim.SetBotURL(address) }

func (v feishuVendor) enroll(id string) {
	v.sim.AddPerson(feishusim.Person{OpenID: id, Name: id, Handle: id})
}

func (v feishuVendor) misbehave() {
	v.sim.SetFault("im.message.create", feishusim.Fault{Rate: 0.03, AcceptThenDrop: true}, feishusim.Fault{Rate: 0.01, RetryAfter: 2}, feishusim.Fault{Rate: 0.01, Status: 500})
}

func (v feishuVendor) praise(author string, receiver, number int) (int, bool, error) {
	_, ack, err := v.sim.Say(author, v.sim.P2P(author), fmt.Sprintf("/praise @%s praise number %d.", fmt.Sprintf("ou_fault%05d", receiver), number))
	return ack.Delivery, ack.Failure == "", err
}

func (v feishuVendor) again(delivery int) (int, bool, error) {
	ack, err := v.sim.Redeliver(delivery)
	return ack.Delivery, ack.Failure == "", err
}

func (v feishuVendor) conversation(id string) []string {
	var out []string
	for _, m := range v.sim.Messages(v.sim.P2P(id), id) {
		if m.SenderType == "app" {
			out = append(out, m.Content)
		}
	}
	return out
}

func (v feishuVendor) objections() []string {
	var out []string
	for _, f := range v.sim.MustFindings() {
		out = append(out, fmt.Sprintf("%+v", f))
	}
	return out
}

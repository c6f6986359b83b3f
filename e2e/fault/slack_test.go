package fault

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"huiyin/bot/sim/slacksim"
)

const (
	signingSecret = "fault-signing-secret"
	botToken      = "xoxb-fault"
	appToken      = "xapp-fault"
)

type slackVendor struct {
	sim    *slacksim.Server
	stream bool
}

func openSlack(t *testing.T, stream bool) vendor {
	t.Helper()
	sim := slacksim.New(slacksim.Options{
		SigningSecret: signingSecret, BotToken: botToken, AppToken: appToken, SocketMode: stream, Clock: time.Now, Seed: 1, Keep: 100_000, Limits: slacksim.Limits{Scale: scale(stream), Grace: 1},
	})
	t.Cleanup(sim.Close)
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(server.Close)
	sim.SetBaseURL(server.URL)
	return slackVendor{sim, stream}
}

func (v slackVendor) env() []string {
	proof := "HUIYIN_SLACK_SIGNING_SECRET=" + signingSecret
	if v.stream {
		proof = "HUIYIN_SLACK_APP_TOKEN=" + appToken
	}
	return []string{proof, "HUIYIN_SLACK_BOT_TOKEN=" + botToken, "HUIYIN_SLACK_API_URL=" + v.sim.APIURL()}
}

func (v slackVendor) connections() int { return v.sim.Sockets() }

func (v slackVendor) reach(address string) { v.sim.SetBotURL(address) }

func (v slackVendor) enroll(id string) { v.sim.AddPerson(slacksim.Person{ID: id, RealName: id}) }

func (v slackVendor) misbehave() {
	v.sim.SetFault("chat.postMessage", slacksim.Fault{Rate: 0.03, AcceptThenDrop: true}, slacksim.Fault{Rate: 0.01, RetryAfter: 2}, slacksim.Fault{Rate: 0.01, Status: 500})
}

func (v slackVendor) praise(author string, receiver, number int) (int, bool, error) {
	ack, err := v.sim.Slash(author, v.sim.DM(author), "/praise", fmt.Sprintf("@%s praise number %d.", strings.ToLower(account(receiver)), number))
	if err != nil {
		return 0, false, err
	}
	ok, err := answered(ack)
	return ack.Delivery, ok, err
}

func (v slackVendor) again(delivery int) (int, bool, error) {
	ack, err := v.sim.Redeliver(delivery)
	if err != nil {
		return 0, false, err
	}
	ok, err := answered(ack)
	return ack.Delivery, ok, err
}

// answered wants an acknowledgement that says what became of the command.
func answered(ack slacksim.Ack) (bool, error) {
	if ack.Status != 200 || ack.Error != "" {
		return false, nil
	}
	if strings.Contains(ack.Answer, "Something went wrong") || !strings.Contains(ack.Answer, "sent") && !strings.Contains(ack.Answer, "already") {
		return true, fmt.Errorf("answered with %.200s", ack.Answer)
	}
	return true, nil
}

func (v slackVendor) conversation(id string) []string {
	var out []string
	for _, m := range v.sim.Messages(v.sim.DM(id), id) {
		if m.BotID != "" && m.EphemeralTo == "" {
			out = append(out, string(m.Blocks))
		}
	}
	return out
}

func (v slackVendor) objections() []string {
	var out []string
	for _, f := range v.sim.MustFindings() {
		out = append(out, fmt.Sprintf("%+v", f))
	}
	return out
}

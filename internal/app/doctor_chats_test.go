package app

import (
	"maps"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"huiyin/bot/sim/dingtalksim"
)

func TestTheDoctorAsksDingTalkWhetherTheSecretIsRight(t *testing.T) {
	w := newWorld(t)
	sim := dingtalksim.New(dingtalksim.Options{ClientID: "dinghuiyin01", ClientSecret: "dingtalk-canary-9f", Clock: time.Now})
	vendor := httptest.NewServer(sim.Handler())
	t.Cleanup(func() {
		sim.Close()
		vendor.Close()
	})
	sim.SetBaseURL(vendor.URL)
	for secret, want := range map[string]string{
		"dingtalk-canary-9f": "OK  dingtalk: organisation dinghuiyin01",
		"dingtalk-canary-no": "!!  dingtalk: DingTalk refuses the credentials (invalidClientIdOrSecret)",
	} {
		maps.Copy(w.env, map[string]string{
			"HUIYIN_DINGTALK_CLIENT_ID": "dinghuiyin01", "HUIYIN_DINGTALK_CLIENT_SECRET": secret,
			"HUIYIN_DINGTALK_API_URL": vendor.URL, "HUIYIN_DINGTALK_OAPI_URL": vendor.URL,
		})
		got := run(t, w.env, "doctor")
		if out := got.out + got.err; !strings.Contains(out, want) || strings.Contains(out, secret) {
			t.Errorf("the doctor does not say %q, or says the secret:\n%s", want, out)
		}
	}
}

package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestASecretDoesNotPrint(t *testing.T) {
	const canary = "canary-5e1f"
	c := Config{SecretKey: Hide(canary), Slack: Slack{BotToken: Hide(canary)}}
	hidden := struct{ inner Config }{c} // fmt cannot call methods behind an unexported field

	var shown []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s", "%p", "%t"} {
		for _, v := range []any{c.SecretKey, &c.SecretKey, c, &c, c.Slack, hidden, []Secret{c.SecretKey}, map[string]Secret{"k": c.SecretKey}} {
			shown = append(shown, fmt.Sprintf(verb, v))
		}
	}
	encoded, err := json.Marshal(map[string]any{"config": c, "secret": c.SecretKey, "keys": map[Secret]int{c.SecretKey: 1}})
	if err != nil {
		t.Fatalf("encode a config: %v", err)
	}
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("starting", "secret", c.SecretKey, "config", c, "pointer", &c)
	}
	shown = append(shown, string(encoded), log.String(), fmt.Sprint(c.SecretKey), fmt.Errorf("using %v", c.SecretKey).Error())
	hex := fmt.Sprintf("%x", canary)
	for _, text := range shown {
		if strings.Contains(text, canary) || strings.Contains(strings.ToLower(text), hex) {
			t.Errorf("a secret was printed: %s", text)
		}
	}
	if !strings.Contains(log.String(), stars) || c.SecretKey.Reveal() != canary {
		t.Errorf("the log should show that there is a secret, and Reveal should give it; the log says %s", log.String())
	}
}

func TestASecretThatIsNotSetSaysNothing(t *testing.T) {
	if s := Hide(""); s.Set() || s.String() != "" || s.Reveal() != "" || s != (Secret{}) {
		t.Errorf("an empty secret counts as set: %v", s)
	}
}
